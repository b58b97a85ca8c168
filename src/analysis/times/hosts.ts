import { bootOf, type Sample } from '../../model/sample.ts';

/** So much of a boot id tells it from others. */
const SHOWN_BOOT = 8;

/** A host as long as it is known. */
interface KnownHost {
  readonly key: string;
  /** Its latest name. */
  name: string;
  /** The boot that each stream told of last. */
  readonly boots: Map<number, string>;
  /** By its boot, if another host had the name at the time. */
  readonly isOneOfSeveral: boolean;
}

/**
 * Tells hosts apart. A host may be renamed while it is recorded: then the boot tells that it is the same one. In two
 * recordings of one boot with different names, they are containers of one machine, and taken for two hosts.
 * One of the same name is taken for the same host after another boot, or as a log tells of it. In two recordings of
 * one time, another boot is another host: it may be a clone of the first, or neither has a name.
 */
export class Hosts {
  readonly #byKey = new Map<string, KnownHost>();
  readonly #byName = new Map<string, KnownHost>();
  readonly #byBoot = new Map<string, KnownHost>();

  /** What stands for the host of a sample; most often its name. */
  keyOf(sample: Sample): string {
    const { host: name = '', stream = 0 } = sample;
    const bootId = bootOf(sample);
    const boot = bootId && `${stream}/${bootId}`;
    const known = boot === undefined ? undefined : this.#byBoot.get(boot);
    const host = known ?? this.#named(name, stream, bootId) ?? this.#added(name, boot);
    if (boot !== undefined) this.#byBoot.set(boot, host);
    if (bootId !== undefined) host.boots.set(stream, bootId);
    if (host.name !== name) {
      if (this.#byName.get(host.name) === host) this.#byName.delete(host.name);
      this.#byName.set(name, host);
      host.name = name;
    }
    return host.key;
  }

  /** The host of this name that the stream may go on with. */
  #named(name: string, stream: number, bootId: string | undefined): KnownHost | undefined {
    const latest = this.#byName.get(name);
    if (latest === undefined || bootId === undefined || latest.boots.has(stream)) return latest;
    for (const host of this.#byKey.values()) if (host.name === name && host.boots.has(stream)) return host;
    const boots = [...latest.boots.values()];
    return boots.length === 0 || boots.includes(bootId) ? latest : undefined;
  }

  #added(name: string, boot: string | undefined): KnownHost {
    // One that had this name may have another one by now.
    const key = this.#byKey.has(name) ? `${name}\n${boot ?? ''}` : name;
    const host = { key, name, boots: new Map<number, string>(), isOneOfSeveral: this.#byName.has(name) };
    this.#byKey.set(key, host);
    this.#byName.set(name, host);
    return host;
  }

  /** The latest name of a host; undefined if it has none. */
  nameOf(key: string | undefined): string | undefined {
    const host = this.#byKey.get(key ?? '');
    const name = host?.name ?? key;
    const [boot] = host?.isOneOfSeveral === true ? host.boots.values() : [];
    if (boot !== undefined) return `${name === '' ? 'unknown host' : name} (boot ${boot.slice(0, SHOWN_BOOT)})`;
    return name === '' ? undefined : name;
  }
}
