import type { Rule } from './rule.ts';
import { waitTable } from './wait-table.ts';

/** More waits for devices, by functions that wait for one thing. */
export const MORE_WAITS_OF_DEVICES: readonly Rule[] = waitTable(
  'The device, its firmware or its driver is slow or does not answer.',
  [
    [
      'wait-for-thermal-removal',
      'users of a thermal zone to let go of it',
      'drivers/thermal/thermal_core.c',
      'thermal_zone_device_register_with_trips',
    ],
    [
      'wait-for-serial-users',
      'users of a serial port to close it',
      'drivers/tty/serial/serial_core.c',
      'serial_core_remove_one_port serial_core_unregister_port uart_remove_one_port',
    ],
    [
      'wait-for-tty-write-room',
      'characters to be sent on a terminal, before its settings change',
      'drivers/tty/tty_ioctl.c',
      'set_termios',
    ],
    [
      'wait-for-tty-modem-lines',
      'a modem line of a serial port to change',
      'drivers/usb/class/cdc-acm.c',
      'wait_serial_change acm_tty_ioctl mxser_ioctl cy_ioctl mgsl_ioctl ntty_ioctl',
    ],
    [
      'wait-for-hvc-output',
      'the hypervisor to take the output of a console',
      'drivers/tty/hvc/hvsi.c',
      'hvsi_flush_output hvsi_close',
    ],
    [
      'wait-for-usblp',
      'a USB printer to take or send data',
      'drivers/usb/class/usblp.c',
      'usblp_wwait usblp_rwait_and_lock usblp_read',
    ],
    [
      'wait-for-usbtmc',
      'a measuring instrument on USB to answer',
      'drivers/usb/class/usbtmc.c',
      'usbtmc_ioctl usbtmc488_ioctl_wait_srq usbtmc488_ioctl_read_stb',
    ],
    [
      'wait-for-usb-request',
      'a request that it sent to a USB device to complete (usbfs)',
      'drivers/usb/core/devio.c',
      'reap_as',
    ],
    [
      'wait-for-usb-modem-data',
      'a modem on USB to take or send data (cdc-wdm)',
      'drivers/usb/class/cdc-wdm.c',
      'wdm_read wdm_write wdm_flush',
    ],
    ['wait-for-nvdimm-bus', 'probes of memory devices (NVDIMM) to finish', 'drivers/nvdimm/bus.c', 'nd_bus_remove'],
    [
      'wait-for-pci-endpoint-dma',
      'a DMA transfer of a PCI endpoint to complete',
      'drivers/pci/endpoint/functions/pci-epf-mhi.c',
      'pci_epf_mhi_edma_read pci_epf_mhi_edma_write',
    ],
    [
      'wait-for-xen-reset',
      'a Xen device to shut down',
      'drivers/xen/xenbus/xenbus_probe_frontend.c',
      'xenbus_frontend_dev_shutdown pvcalls_front_bind pvcalls_front_connect pvcalls_front_listen',
      'pvcalls_front_socket',
    ],
    [
      'wait-for-dmabuf-release',
      'users of a shared buffer of another guest to let go of it (Xen)',
      'drivers/xen/gntdev-dmabuf.c',
      'dmabuf_exp_wait_obj_wait gntdev_ioctl_dmabuf_exp_wait_released',
    ],
    [
      'wait-for-iommu-pasid',
      'page requests of a process in the IOMMU to finish',
      'drivers/iommu/amd/iommu_v2.c',
      'put_pasid_state_wait amd_iommu_free_device amd_iommu_unbind_pasid intel_svm_drain_prq',
    ],
    [
      'wait-for-ipmi-messages',
      'the management controller (BMC) to answer, or its messages to be handled (IPMI)',
      'drivers/char/ipmi/ipmi_msghandler.c',
      'cleanup_smi_msgs ipmi_unregister_smi wait_msg_processed shutdown_ssif bt_detect',
    ],
    [
      'wait-for-printer-port',
      'a printer at a parallel port',
      'drivers/char/lp.c',
      'lp_error lp_read lp_write lp_check_status',
    ],
    [
      'wait-for-hwrng',
      'the hardware source of random numbers',
      'drivers/char/hw_random/core.c',
      'hwrng_msleep hwrng_yield add_hwgenerator_randomness timeriomem_rng_read mox_hwrng_read',
      'starfive_trng_cmd imx_rngc_init imx_rngc_self_test',
    ],
    [
      'wait-for-firmware-call',
      'the firmware of the board to answer',
      'drivers/firmware/stratix10-svc.c',
      'svc_get_sh_memory svc_thread_cmd_data_claim scmi_do_xfer_with_response scmi_xfer_raw_worker',
      'scmi_vio_channel_cleanup_sync mox_get_board_info do_sign_write __issue_avs_command',
    ],
    [
      'wait-for-input-device',
      'an input device to answer',
      'drivers/input/serio/libps2.c',
      '__ps2_command ps2_do_sendbyte ps2_drain i8042_check_aux mousevsc_connect_to_vsp',
      'joycon_hid_send_sync wiimote_cmd_wait wiimote_cmd_read wiimote_cmd_write mxt_wait_for_completion',
      'elants_i2c_calibrate cyapa_i2c_pip_cmd_irq_sync rmi_f34_command stmfts_command zforce_send_wait',
      'goodix_suspend ishtp_wait_for_response lg_probe u2fzero_recv wiidebug_eeprom_read',
    ],
    [
      'wait-for-input-reads',
      'transfers from or to an input device in progress to finish',
      'drivers/input/keyboard/applespi.c',
      'applespi_drain_reads applespi_drain_writes iforce_close',
    ],
    [
      'wait-for-uinput-daemon',
      'the program behind a virtual input device (uinput) to answer',
      'drivers/input/misc/uinput.c',
      'uinput_request_submit uinput_request_reserve_slot uinput_dev_upload_effect',
    ],
  ],
);
