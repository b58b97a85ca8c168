import { lockTable } from './lock-table.ts';
import type { Rule } from './rule.ts';

const CAUSES = 'Another task holds it, and waits for the device, its firmware or its driver.';

/** Locks of graphics, video and sound, with the functions that take them. */
export const LOCKS_OF_MEDIA: readonly Rule[] = [
  ...lockTable('mutex', CAUSES, [
    [
      'lock-of-drm-ids',
      'of the IDs of display objects (idr_mutex)',
      'drivers/gpu/drm/drm_connector.c',
      'drm_tile_group_free drm_mode_get_tile_group drm_mode_create_tile_group drm_lease_held',
      'drm_lease_filter_crtcs',
    ],
    [
      'lock-of-drm-master',
      'of who controls a graphics device (master_mutex)',
      'drivers/gpu/drm/drm_auth.c',
      'drm_getmagic drm_authmagic drm_master_release drm_name_info drm_getunique',
    ],
    [
      'lock-of-drm-files',
      'of the open files of a graphics device (filelist_mutex)',
      'drivers/gpu/drm/drm_debugfs.c',
      'drm_clients_info drm_open_helper drm_client_open drm_client_close drm_close_helper',
    ],
    [
      'lock-of-drm-names',
      'of the handles of graphics buffers (object_name_lock)',
      'drivers/gpu/drm/drm_debugfs.c',
      'drm_gem_name_info drm_gem_object_handle_get_if_exists_unlocked drm_gem_object_handle_put_unlocked',
      'drm_gem_handle_create drm_gem_flink_ioctl',
    ],
    [
      'lock-of-drm-clients',
      'of the clients of a graphics device in the kernel (clientlist_mutex)',
      'drivers/gpu/drm/drm_client.c',
      'drm_client_register drm_client_dev_unregister drm_client_dev_hotplug drm_client_dev_restore',
      'drm_client_debugfs_internal_clients',
    ],
    [
      'lock-of-drm-mst',
      'of the topology of a DisplayPort hub (MST)',
      'drivers/gpu/drm/display/drm_dp_mst_topology.c',
      'drm_dp_mst_topology_get_mstb_validated drm_dp_mst_topology_get_port_validated drm_dp_port_set_pdt',
      'drm_dp_mst_topology_unlink_port drm_dp_send_link_address drm_dp_remove_payload_part1',
      'drm_dp_mst_topology_mgr_set_mst drm_dp_mst_topology_queue_probe',
    ],
    [
      'lock-of-amdgpu-srbm',
      'of the registers of an AMD GPU (srbm_mutex)',
      'drivers/gpu/drm/amd/amdgpu/amdgpu_amdkfd_gfx_v9.c',
      'kgd_gfx_v9_lock_srbm amdgpu_mes_add_hw_queue gfx_v10_0_reset_kgq gfx_v10_0_reset_kcq',
      'gfx_v10_ip_dump gfx_v11_0_reset_kgq gfx_v11_0_reset_kcq gfx_v11_ip_dump',
    ],
    [
      'lock-of-i915-power',
      'of the power domains of an Intel display',
      'drivers/gpu/drm/i915/display/intel_display_power.c',
      'intel_display_power_is_enabled intel_display_power_set_target_dc_state intel_display_power_get',
      'intel_display_power_get_if_enabled intel_display_power_put_async_work',
    ],
    [
      'lock-of-media-graph',
      'of the graph of a media device (graph_mutex)',
      'drivers/media/mc/mc-device.c',
      'media_device_compat_ioctl media_pipeline_start media_pipeline_stop media_pipeline_alloc_start',
      'media_entity_setup_link',
    ],
    [
      'lock-of-sound-cards',
      'of the list of sound cards (snd_card_mutex)',
      'sound/core/init.c',
      'snd_card_init snd_card_ref snd_card_locked snd_card_set_id snd_card_register',
    ],
    [
      'lock-of-sound-pcm-open',
      'for opening a sound device (open_mutex)',
      'sound/core/hwdep.c',
      'snd_hwdep_release snd_pcm_substream_proc_hw_params_read snd_pcm_substream_proc_sw_params_read',
      'snd_pcm_substream_proc_status_read snd_pcm_lib_preallocate_proc_write',
    ],
    [
      'lock-of-usb-audio-endpoint',
      'of a USB sound device',
      'sound/usb/endpoint.c',
      'snd_usb_endpoint_compatible snd_usb_endpoint_open snd_usb_endpoint_close',
      'snd_usb_endpoint_set_params snd_usb_endpoint_prepare',
    ],
  ]),
  ...lockTable('rwsem', CAUSES, [
    [
      'lock-of-sound-controls',
      'of the controls of a sound card (controls_rwsem)',
      'sound/core/control.c',
      'snd_ctl_release snd_ctl_remove snd_ctl_remove_id snd_ctl_remove_user_ctl snd_ctl_activate_id',
    ],
  ]),
];
