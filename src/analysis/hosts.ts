import { bootOf, type Sample } from '../model/sample.ts';

/** A host as long as it is known. */
interface KnownHost {
  readonly key: string;
  /** Its latest name. */
  name: string;
}

/**
 * Tells hosts apart. A host may be renamed while it is recorded: then the boot tells that it is the same one. In two
 * recordings of one boot with different names, they are containers of one machine, and taken for two hosts.
 * One of the same name is taken for the same host after another boot, or as a log tells of it.
 */
export class Hosts {
  readonly #byKey = new Map<string, KnownHost>();
  readonly #byName = new Map<string, KnownHost>();
  readonly #byBoot = new Map<string, KnownHost>();

  /** What stands for the host of a sample; most often its name. */
  keyOf(sample: Sample): string {
    const { host: name = '' } = sample;
    const boot = bootOf(sample) && `${sample.stream ?? 0}/${bootOf(sample)}`;
    const known = (boot === undefined ? undefined : this.#byBoot.get(boot)) ?? this.#byName.get(name);
    const host = known ?? this.#added(name, boot);
    if (boot !== undefined) this.#byBoot.set(boot, host);
    if (host.name !== name) {
      if (this.#byName.get(host.name) === host) this.#byName.delete(host.name);
      this.#byName.set(name, host);
      host.name = name;
    }
    return host.key;
  }

  #added(name: string, boot: string | undefined): KnownHost {
    // One that had this name may have another one by now.
    const key = this.#byKey.has(name) ? `${name}\n${boot ?? ''}` : name;
    const host = { key, name };
    this.#byKey.set(key, host);
    this.#byName.set(name, host);
    return host;
  }

  /** The latest name of a host; undefined if it has none. */
  nameOf(key: string | undefined): string | undefined {
    const name = this.#byKey.get(key ?? '')?.name ?? key;
    return name === '' ? undefined : name;
  }
}
