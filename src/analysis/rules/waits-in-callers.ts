import type { Rule } from './rule.ts';
import { OF_CALLERS } from './wait-table.ts';

/**
 * Rules, and functions of the kernel's files into which compilers build the function that the rule is about: they wait
 * there for that, and apart from it only for locks and the like.
 */
const CALLERS: readonly (readonly [rule: string, ...functions: string[]])[] = [
  [
    'crypto-request',
    'blk_crypto_fallback_bio_prep adiantum_setkey crypto_akcipher_sync_post aead_recvmsg hash_recvmsg',
    'hash_sendmsg skcipher_recvmsg drbg_kcapi_sym_ctr crypto_gcm_setkey fscrypt_fname_disk_to_usr',
    'fscrypt_setup_v1_file_key crypt_extent crypt_message generate_ecdh_public_key gcm_crypt',
    'hash_sendpage public_key_verify_signature software_key_eds_op verity_hash_final verity_hash_init',
    'verity_work fsverity_hash_buffer fsverity_hash_page fsverity_prepare_hash_state decrypt_internal',
    'tls_decrypt_sg do_aead_crypto do_dcp_crypto af_alg_wait_for_completion ecryptfs_decrypt_page',
    'ecryptfs_encrypt_page decrypt_scatterlist encrypt_scatterlist fscrypt_do_page_crypto fname_encrypt',
    'fscrypt_get_encryption_info',
  ],
  ['drbd-request', 'do_retry'],
  ['mailbox', 'ti_sci_get_resource_range ti_sci_manage_irq ti_sci_probe ti_sci_set_clock_state'],
  ['dm-crypt-write', 'kcryptd_crypt'],
  ['dm-snapshot-merge', 'snapshot_dtr snapshot_resume'],
  ['md-freeze', 'raid10d'],
  ['vhost-flush', 'vhost_net_ioctl'],
  ['btrfs-extent-buffer', 'btrfs_cleanup_one_transaction btrfs_zone_finish_endio_workfn wait_eb_writebacks'],
  ['fs-inode-new', 'delete_work_func'],
  ['netfs-write', 'smb3_fallocate'],
  ['stop-seccomp', '__secure_computing'],
  ['ext4-unwritten', 'ext4_file_write ext4_file_write_iter'],
  ['fs-sync-worker', 'bdi_split_work_to_wbs'],
  ['block-claim', 'blkdev_get'],
  ['gpu-i915-fence', '__i915_sw_fence_await_sw_fence i915_sw_fence_await_sw_fence'],
];

/** The rules about these functions. What else they call may wait for anything: the rules are about themselves only. */
export function rulesInCallers(rules: readonly Rule[]): Rule[] {
  const known = new Map(rules.map((rule) => [rule.id, rule]));
  return CALLERS.flatMap(([id, ...lines]) => {
    const rule = known.get(id);
    if (rule === undefined) throw new Error(`no rule ${id}`);
    const { inOrderTo: _, outer: __, purpose: ___, ...rest } = rule;
    const match = [lines.flatMap((names) => names.split(' '))];
    return [{ ...rest, id: `${id}-in-caller`, match, innermost: true, sleeps: rule.sleeps ?? OF_CALLERS }];
  });
}
