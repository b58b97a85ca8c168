import { decodeBytes } from '../../../native/decode.ts';
import { bitsOf } from '../../../native/reader/protocol.ts';
import type { Draft } from './draft.ts';
import type { Requests } from './requests.ts';

const ASKED_FIRST = 8;
const WCHAN = bitsOf(['wchan']);

/**
 * Where tasks wait whose stack hangs. Some kernels take no lock to print /proc/PID/wchan, others the one on which the
 * stack hangs: the first few tasks tell which kind this is.
 */
export class Wchans {
  readonly #requests: Requests;
  readonly #later: Draft[] = [];
  #asked = 0;
  #answers = false;

  constructor(requests: Requests) {
    this.#requests = requests;
  }

  want(draft: Draft): void {
    if (this.#answers || this.#asked++ < ASKED_FIRST) this.#requests.want(draft, WCHAN);
    else this.#later.push(draft);
  }

  take(draft: Draft, bytes: Buffer): void {
    // A task that waits nowhere has 0.
    if (bytes.length > 1) draft.wchan = decodeBytes(bytes);
    this.#answers = true;
    for (const later of this.#later.splice(0)) this.#requests.want(later, WCHAN);
  }
}
