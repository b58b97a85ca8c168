# A plugin for sos (github.com/sosreport/sos, 4.0 or newer): what tasks wait for in the kernel, as a bundle of kstack.
# It goes to the folder of the other plugins: see docs/bundle.md of kstack.

from sos.report.plugins import (Plugin, RedHatPlugin, DebianPlugin,
                                UbuntuPlugin, SuSEPlugin)

# What a bundle takes at the most, in MB. The output of a command that takes more than --log-size is cut off by sos, and
# of an archive nothing would be left.
USUAL_SIZE = 20


# IndependentPlugin alone is no plugin to sos 4.0 on Debian.
class Kstack(Plugin, RedHatPlugin, DebianPlugin, UbuntuPlugin, SuSEPlugin):

    short_desc = 'What tasks wait for in the kernel'

    plugin_name = 'kstack'
    profiles = ('system', 'kernel', 'performance')
    packages = ('kstack',)
    commands = ('kstack',)

    def setup(self):
        log_size = int(self.get_option('log_size') or USUAL_SIZE)
        command = 'kstack bundle -o - --max-size %dM' % min(log_size, USUAL_SIZE)
        # sos cannot look into a packed archive to mask what is in it.
        if getattr(self.commons['cmdlineopts'], 'clean', False):
            command += ' --redact'
        # Of what is on standard error, the manifest of the bundle has all.
        self.add_cmd_output(
            command,
            suggest_filename='kstack-bundle.tar.gz',
            binary=True,
            stderr=False,
        )
