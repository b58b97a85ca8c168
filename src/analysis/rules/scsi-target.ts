import { DISK_STUCK, DISKS, LOG, OTHERS_BLOCKED, type Resource } from './commands.ts';
import type { Rule } from './rule.ts';

const TARGET_STUCK: readonly Resource[] = [...DISK_STUCK, 'target'];
const TARGET = [...LOG, ...DISKS, ...OTHERS_BLOCKED];
const SLOW_TARGET =
  'The disk behind the target is slow or stuck, and the initiator has aborted commands or disconnected.';

/** The SCSI target of this host (LIO). */
export const SCSI_TARGET: readonly Rule[] = [
  {
    id: 'scsi-target-connection',
    kind: 'blocked',
    match: [
      [
        'iscsit_close_connection',
        'iscsit_cause_connection_reinstatement',
        'iscsit_connection_reinstatement_rcfr',
        'iscsit_free_session',
        'iscsit_stop_session',
        'iscsit_close_session',
        'iscsit_release_commands_from_conn',
        'iscsi_check_for_session_reinstatement',
        'isert_wait_conn',
        'isert_wait4cmds',
      ],
    ],
    waitsFor: 'a connection of an initiator to the iSCSI target of this host (LIO) to be closed',
    inOrderTo: 'close a connection of an initiator to the iSCSI target of this host',
    causes: SLOW_TARGET,
    stuck: TARGET_STUCK,
    next: TARGET,
    source: 'drivers/target/iscsi/iscsi_target.c: iscsit_close_connection',
  },
  {
    id: 'scsi-target-abort',
    kind: 'blocked',
    match: [
      [
        'core_tmr_drain_tmr_list',
        'core_tmr_drain_state_list',
        'core_tmr_abort_task',
        'core_tmr_lun_reset',
        'target_tmr_work',
      ],
    ],
    waitsFor: 'commands that an initiator aborted to end in the SCSI target of this host (LIO)',
    inOrderTo: 'abort commands in the SCSI target of this host',
    causes: SLOW_TARGET,
    stuck: TARGET_STUCK,
    next: TARGET,
    source: 'drivers/target/target_core_tmr.c: core_tmr_abort_task',
  },
  {
    id: 'scsi-target',
    kind: 'blocked',
    match: [
      [
        'transport_generic_free_cmd',
        'transport_wait_for_tasks',
        '__transport_wait_for_tasks',
        'target_wait_for_sess_cmds',
        'target_wait_for_cmds',
        'target_put_cmd_and_wait',
        'target_stop_task',
        'core_tpg_del_initiator_node_acl',
        'target_wait_free_cmd',
        'transport_clear_lun_ref',
      ],
    ],
    waitsFor: 'commands of an initiator to finish in the SCSI target of this host (LIO)',
    inOrderTo: 'end commands in the SCSI target of this host',
    causes: SLOW_TARGET,
    stuck: TARGET_STUCK,
    next: TARGET,
    source: 'drivers/target/target_core_transport.c: transport_generic_free_cmd',
  },
  {
    id: 'scsi-target-other',
    kind: 'blocked',
    match: [/\w+/],
    module: [
      'target_core_mod',
      'iscsi_target_mod',
      'target_core_user',
      'tcm_loop',
      'tcm_qla2xxx',
      'ib_isert',
      'ib_srpt',
    ],
    innermost: true,
    waitsFor: 'the SCSI target of this host (LIO), in {caller}',
    inOrderTo: 'serve an initiator from the SCSI target of this host',
    causes: 'A session, command or disk of the target is stuck.',
    stuck: TARGET_STUCK,
    next: TARGET,
    source: 'drivers/target/target_core_transport.c: target_wait_for_sess_cmds',
  },
];
