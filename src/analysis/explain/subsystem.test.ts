import { describe, expect, it } from 'vitest';
import { subsystemOf } from './subsystem.ts';

describe('the part of the kernel that a function belongs to', () => {
  it.each([
    ['its module', 'wait_for_codec', 'snd', 'sound'],
    ['a module of a family', 'pop_wait', 'snd_soc_core', 'sound'],
    ['another such module', '_adc_fifo_rst', 'rtw89_8851b', 'WiFi'],
    ['its name', 'nilfs_ioctl_sync', undefined, 'NILFS'],
    ['its name, in an unknown module', 'iio_read_channel_info', 'some_chip', 'sensors (IIO)'],
    ['a short prefix, as no other module tells', 'sd_probe', undefined, 'SCSI'],
    ['no short prefix in another module', 'sd_start', 'gspca_sonixb', undefined],
    ['two words rather than one', 'dev_attr_show', undefined, 'devices and their drivers'],
    ['nothing', 'unheard_of', 'some_chip', undefined],
    ['no part of its module', 'unheard_of', 'intel_rapl', undefined],
  ])('is told by %s', (_, symbol, module, subsystem) => {
    expect(subsystemOf({ symbol, raw: symbol, ...(module !== undefined && { module }) })).toBe(subsystem);
  });
});
