import { lockTable } from './lock-table.ts';
import type { Rule } from './rule.ts';

const CAUSES = 'Another task holds it, and waits for I/O of a device, or for a disk queue to be frozen.';

/** Locks of disks, their transports and targets, with the functions that take them. */
export const LOCKS_OF_STORAGE: readonly Rule[] = [
  ...lockTable('mutex', CAUSES, [
    [
      'lock-of-opal',
      'of a self-encrypting disk (OPAL)',
      'block/sed-opal.c',
      'check_opal_support opal_lock_unlock clean_opal_dev opal_secure_erase_locking_range opal_get_discv',
    ],
    [
      'lock-of-queue-settings',
      'of the settings of a disk queue (sysfs_lock)',
      'block/blk-mq-debugfs.c',
      'hctx_tags_show hctx_tags_bitmap_show hctx_sched_tags_show hctx_sched_tags_bitmap_show',
      'elv_attr_show',
    ],
    [
      'lock-of-blkcg-policies',
      'of the I/O policies of cgroups (blkcg_pol_mutex)',
      'block/blk-cgroup.c',
      'blkcg_reset_stats blkcg_css_free',
    ],
    ['lock-of-blkcg', 'of the cgroups of a disk queue (blkcg_mutex)', 'block/blk-cgroup.c', 'blkg_free_workfn'],
    [
      'lock-of-queue-hotplug',
      'for CPU hotplug of disk queues (blk_mq_cpuhp_lock)',
      'block/blk-mq.c',
      'blk_mq_remove_cpuhp blk_mq_remove_hw_queues_cpuhp blk_mq_add_hw_queues_cpuhp',
    ],
    [
      'lock-of-drbd-admin',
      'of the administration of a DRBD resource (adm_mutex)',
      'drivers/block/drbd/drbd_nl.c',
      'drbd_adm_set_role drbd_adm_detach drbd_adm_resource_opts drbd_adm_pause_sync drbd_adm_resume_sync',
    ],
    [
      'lock-of-dm-bufio-clients',
      'of all buffers of device-mapper metadata (dm_bufio)',
      'drivers/md/dm-bufio.c',
      'dm_bufio_client_create cleanup_old_buffers',
    ],
    [
      'lock-of-nvme-subsystems',
      'of the list of NVMe subsystems (nvme_subsystems_lock)',
      'drivers/nvme/host/core.c',
      'nvme_destroy_subsystem nvme_free_ctrl nvme_subsys_iopolicy_update',
    ],
    [
      'lock-of-nvme-rdma-devices',
      'of the RDMA adapters of NVMe (device_list_mutex)',
      'drivers/nvme/host/rdma.c',
      'nvme_rdma_free_dev nvmet_rdma_free_dev nvme_rdma_find_get_device nvmet_rdma_find_get_device',
    ],
    [
      'lock-of-nvme-ana',
      'of the states of the paths to an NVMe subsystem (ana_lock)',
      'drivers/nvme/host/multipath.c',
      'nvme_mpath_update nvme_read_ana_log',
    ],
    [
      'lock-of-nvmet-tcp-queues',
      'of the TCP queues of the NVMe target (nvmet_tcp_queue_mutex)',
      'drivers/nvme/target/tcp.c',
      'nvmet_tcp_delete_ctrl nvmet_tcp_install_queue nvmet_tcp_alloc_queue nvmet_tcp_destroy_port_queues',
    ],
    [
      'lock-of-nvmet-rdma-queues',
      'of the RDMA queues of the NVMe target (nvmet_rdma_queue_mutex)',
      'drivers/nvme/target/rdma.c',
      'nvmet_rdma_queue_disconnect nvmet_rdma_delete_ctrl nvmet_rdma_queue_connect_fail',
      'nvmet_rdma_destroy_port_queues',
    ],
    [
      'lock-of-nvmet-subsystem',
      'of a subsystem of the NVMe target',
      'drivers/nvme/target/admin-cmd.c',
      'nvmet_execute_async_event nvmet_ns_device_path_store nvmet_ns_p2pmem_store',
      'nvmet_ns_device_uuid_store nvmet_ns_device_nguid_store nvmet_ns_buffered_io_store',
      'nvmet_ns_revalidate_size_store nvmet_passthru_device_path_store',
    ],
    [
      'lock-of-mtd-disk',
      'of a disk on flash memory (mtdblock)',
      'drivers/mtd/mtd_blkdevs.c',
      'blktrans_open blktrans_release blktrans_getgeo mtdswap_show mtd_blktrans_work',
    ],
    [
      'lock-of-target-devices',
      'of the list of devices of the SCSI target (device_mutex)',
      'drivers/target/target_core_device.c',
      'target_devices_idr_iter target_for_each_device target_configure_device',
    ],
    [
      'lock-of-iscsit-portal-group',
      'of an iSCSI portal group (tpg_access_lock)',
      'drivers/target/iscsi/iscsi_target_tpg.c',
      'iscsit_get_tpg',
    ],
    ['lock-of-sg-open', 'for opening a SCSI generic device (open_rel_lock)', 'drivers/scsi/sg.c', 'sg_open sg_release'],
    [
      'lock-of-scsi-hosts-scan',
      'for scanning a SCSI host (scan_mutex)',
      'drivers/scsi/aacraid/commsup.c',
      'aac_scan_host storvsc_host_scan pqi_ctrl_block_scan',
    ],
    [
      'lock-of-scsi-state',
      'of the state of a SCSI device (state_mutex)',
      'drivers/scsi/scsi_lib.c',
      'scsi_device_resume scsi_device_block store_state_field scsi_internal_device_unblock',
    ],
    [
      'lock-of-fc-disc',
      'for the discovery of Fibre Channel ports (disc_mutex)',
      'drivers/scsi/libfc/fc_disc.c',
      'fc_disc_recv_req fc_disc_start fc_disc_done fc_lport_enter_dns fc_lport_enter_fdmi',
    ],
    [
      'lock-of-fc-lport',
      'of a Fibre Channel port of this host (lp_mutex)',
      'drivers/scsi/bnx2fc/bnx2fc_fcoe.c',
      'bnx2fc_vport_destroy bnx2fc_stop fcoe_validate_vport_create fc_lport_rport_callback',
      'fc_get_host_port_state fc_fabric_login fc_linkup fc_linkdown',
    ],
    [
      'lock-of-fc-rport',
      'of a remote Fibre Channel port (rp_mutex)',
      'drivers/scsi/libfc/fc_rport.c',
      'fc_rport_login fc_rport_logoff fc_rport_flogi_resp fc_rport_plogi_resp fc_rport_prli_resp',
    ],
  ]),
  ...lockTable('rwsem', CAUSES, [
    [
      'lock-of-blk-crypto',
      'of the keys of inline encryption of a disk',
      'block/blk-crypto-profile.c',
      'blk_crypto_hw_enter',
    ],
    [
      'lock-of-zram',
      'of a zram device (init_lock)',
      'drivers/block/zram/zram_drv.c',
      'initstate_show mem_limit_store mem_used_max_store idle_store writeback_limit_enable_store',
    ],
    [
      'lock-of-dm-snapshots',
      'of the list of snapshot origins of device-mapper',
      'drivers/md/dm-snap.c',
      'snapshot_io_hints origin_resume origin_postsuspend unregister_snapshot',
      'get_origin_minimum_chunksize',
    ],
    [
      'lock-of-dm-names',
      'of the names of device-mapper devices (_hash_lock)',
      'drivers/md/dm-ioctl.c',
      'table_clear dm_get_inactive_table',
    ],
    [
      'lock-of-nvmet-config',
      'of the configuration of the NVMe target (nvmet_config_sem)',
      'drivers/nvme/target/auth.c',
      'nvmet_auth_set_key nvmet_setup_auth nvmet_ns_enable_store nvmet_port_subsys_allow_link',
      'nvmet_port_subsys_drop_link nvmet_allowed_hosts_allow_link nvmet_allowed_hosts_drop_link',
      'nvmet_subsys_attr_allow_any_host_store',
    ],
    [
      'lock-of-nvmet-ana',
      'of the states of the paths of the NVMe target (nvmet_ana_sem)',
      'drivers/nvme/target/configfs.c',
      'nvmet_ns_ana_grpid_store nvmet_ana_group_ana_state_store nvmet_ana_group_release',
      'nvmet_ana_groups_make_group nvmet_ns_free',
    ],
    [
      'lock-of-cxl-regions',
      'of the regions of CXL memory (cxl_region_rwsem)',
      'drivers/cxl/core/cdat.c',
      'match_cxlrd_hb cxl_mem_sanitize target_list_show decoders_committed_show commit_store',
    ],
  ]),
];
