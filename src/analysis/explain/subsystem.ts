import type { Frame } from '../../model/stack.ts';
import { functionName } from '../function-name.ts';

/**
 * Subsystems, the prefixes of their functions, and modules with functions of other names; a module that ends with an
 * underscore stands for all that begin so.
 */
const SUBSYSTEMS: readonly (readonly [subsystem: string, prefixes: string, modules?: string])[] = [
  ['software RAID (md)', 'md mddev raid0 raid1 raid10 raid5 r5c r5l bitmap', 'md_mod raid1 raid10 raid456'],
  ['device-mapper', 'dm crypt verity thin pool snapshot', 'dm_mod dm_crypt dm_thin_pool dm_snapshot dm_raid'],
  [
    'USB gadgets',
    'dwc3_gadget dwc2_hsotg gadget usb_gadget udc composite configfs_composite usb_ep ffs',
    'libcomposite',
  ],
  ['a USB controller', 'dwc3 dwc2 xhci ehci ohci uhci musb cdns3 chipidea ci_hdrc', 'dwc3 dwc2 xhci_hcd ehci_hcd'],
  ['USB', 'usb hub', 'usbcore'],
  ['SCSI', 'scsi sd sr sg st', 'scsi_mod sd_mod'],
  ['ATA disks', 'ata ahci sata', 'libata libahci ahci'],
  ['NVMe', 'nvme nvmet', 'nvme nvme_core nvmet nvme_tcp nvme_rdma'],
  ['the block layer', 'blk bio blkdev blkg blkcg elevator elv bdev disk'],
  ['bcache', 'bch cached_dev cache_set', 'bcache'],
  ['bcachefs', 'bch2', 'bcachefs'],
  ['btrfs', 'btrfs', 'btrfs'],
  ['ext4', 'ext4 jbd2', 'ext4 jbd2'],
  ['XFS', 'xfs xlog', 'xfs'],
  ['F2FS', 'f2fs', 'f2fs'],
  ['overlayfs', 'ovl', 'overlay'],
  ['NILFS', 'nilfs', 'nilfs2'],
  ['NTFS', 'ntfs ntfs3', 'ntfs3'],
  ['FAT', 'fat vfat msdos', 'fat'],
  ['exFAT', 'exfat'],
  ['UDF', 'udf'],
  ['JFFS2', 'jffs2'],
  ['EROFS', 'erofs', 'erofs'],
  ['HFS+', 'hfsplus', 'hfsplus'],
  ['eCryptfs', 'ecryptfs'],
  ['AFS', 'afs rxrpc', 'kafs rxrpc'],
  ['UBIFS', 'ubifs', 'ubifs'],
  ['FUSE', 'fuse', 'fuse virtiofs'],
  ['NFS', 'nfs nfs3 nfs4 nfsd nfsd4 pnfs nlm lockd', 'nfs nfsv3 nfsv4 nfsd lockd'],
  ['SUNRPC', 'rpc svc xprt xs', 'sunrpc'],
  ['SMB', 'cifs smb smb2 ksmbd', 'cifs ksmbd'],
  ['Ceph', 'ceph rbd', 'ceph libceph rbd'],
  ['9p', 'p9 v9fs', '9p 9pnet'],
  ['a cluster file system', 'gfs2 dlm ocfs2 o2net o2hb', 'gfs2 dlm ocfs2'],
  ['Lustre', 'ptlrpc ldlm osc mdc ll lod mdt ofd lnet ksocknal', 'ptlrpc lustre lnet osc mdc mdt ofd'],
  ['ZFS', 'zfs zio spa txg dmu dsl dbuf dnode arc vdev zil zap metaslab zpl', 'zfs spl'],
  ['DRBD', 'drbd', 'drbd'],
  ['a graphics driver', 'drm amdgpu i915 nouveau nvkm radeon xe ttm panfrost lima vc4 v3d', 'drm amdgpu i915'],
  ['an NVIDIA driver', 'nv nvidia uvm os rm', 'nvidia nvidia_uvm nvidia_drm nvidia_modeset'],
  ['sound', 'snd soc sof hda sdw', 'snd snd_ soundwire_'],
  ['Bluetooth', 'hci bt btusb l2cap rfcomm sco mgmt btintel qca', 'bluetooth btusb hci_uart btqca'],
  [
    'WiFi',
    'ieee80211 cfg80211 nl80211 iwl brcmf ath mt76 rtw rtw89 wl mwifiex',
    'mac80211 cfg80211 iwlwifi rtw88_ rtw89_ rtl8xxxu mt76_ mt7915e ath11k_ ath12k_ brcmfmac',
  ],
  ['devices and their drivers', 'dev_attr dev_uevent dev_driver device driver bus class kobject devres devm'],
  ['the network', 'dev netdev net neigh skb sk sock inet inet6 tcp udp ip ip6 ipv6 fib rt6 br bond team vlan vxlan'],
  ['the packet filter', 'nf nft xt ipt ip_set nfnl conntrack', 'nf_ nft_ xt_ x_tables'],
  ['IPVS', 'ip_vs', 'ip_vs'],
  ['RDMA', 'ib rdma iw mlx4_ib mlx5_ib rxe siw ipoib irdma', 'ib_ rdma_ mlx5_ib irdma'],
  ['a network PHY', 'phylink mdiobus mdio genphy', 'libphy phylink'],
  [
    'a network adapter',
    'mlx4 mlx5 i40e iavf ice idpf igb igc ixgbe ixgbevf e1000 e1000e bnxt bnx2x tg3 r8169 rtl8169 rtl8152 virtnet stmmac' +
      ' ena gve mana qed qede hns3 hclge nfp ionic cxgb4 mvpp2 aq efx be fec macb enic usbnet vmxnet3',
    'mlx5_core mlx4_en ice ixgbe igb igc tg3 bnxt_en bnx2x ena gve mana qed qede hns3 hclge be2net r8169 r8152 stmmac sfc',
  ],
  ['virtio', 'virtio virtqueue vring vp vhost', 'virtio virtio_ring virtio_pci vhost'],
  ['Hyper-V', 'hv vmbus storvsc netvsc hvs', 'hv_vmbus hv_storvsc hv_netvsc'],
  ['Xen', 'xen xs xenbus xenwatch gnttab blkif xennet'],
  ['KVM', 'kvm vmx svm vcpu', 'kvm kvm_intel kvm_amd'],
  ['VFIO', 'vfio', 'vfio vfio_pci'],
  ['PCI', 'pci pcie pciehp aer dpc'],
  ['ACPI', 'acpi'],
  ['Thunderbolt', 'tb icm usb4', 'thunderbolt'],
  ['power management', 'pm rpm dpm genpd dev_pm'],
  ['memory cards (MMC, SD)', 'mmc sdhci sdio mmcblk', 'mmc_core mmc_block sdhci'],
  ['flash memory (MTD, UBI)', 'mtd ubi nand spi_nor', 'ubi mtd'],
  ['I2C', 'i2c', 'i2c_'],
  ['sensors (hwmon)', 'hwmon pmbus', 'pmbus_core'],
  ['sensors (IIO)', 'iio', 'industrialio industrialio_'],
  ['an LED', 'led leds netdev_trig', 'leds_'],
  ['GPIO', 'gpio gpiochip gpiod', 'gpio_'],
  ['a voltage regulator', 'regulator'],
  ['clocks of chips', 'clk'],
  ['pins of chips', 'pinctrl'],
  ['the clock chip (RTC)', 'rtc', 'rtc_'],
  ['the IOMMU', 'iommu dmar', 'iommufd'],
  ['CXL', 'cxl', 'cxl_'],
  ['non-volatile memory', 'nvdimm', 'libnvdimm nfit'],
  ['the management controller (IPMI)', 'ipmi', 'ipmi_'],
  ['FireWire', 'firewire', 'firewire_'],
  ['the Intel management engine (MEI)', 'mei', 'mei mei_'],
  ['CPU frequencies', 'cpufreq'],
  ['temperatures', 'thermal'],
  ['SPI', 'spi', 'spi_'],
  ['the TPM', 'tpm tpm2'],
  ['cameras and television', 'v4l2 vb2 video dvb media uvc', 'videodev uvcvideo'],
  ['terminals', 'tty pty uart n_tty serial con vt'],
  ['input devices', 'input evdev hid serio', 'hid usbhid hid_ i2c_hid'],
  ['cgroups', 'cgroup css cpuset memcg mem_cgroup'],
  ['BPF', 'bpf btf'],
  ['tracing', 'trace tracing ftrace event perf kprobe uprobe'],
  ['RCU', 'rcu srcu'],
  ['keys', 'key keyring keyctl'],
  ['cryptography', 'crypto alg af_alg'],
  ['file watches', 'fsnotify inotify fanotify dnotify'],
  ['audit', 'audit auditd'],
  ['swap', 'swap zswap'],
  ['huge pages', 'hugetlb khugepaged'],
  ['io_uring', 'io_uring io_ring io_wq io_sq'],
  ['kernfs and sysfs', 'kernfs sysfs'],
];

const OF_PREFIX = new Map(
  SUBSYSTEMS.flatMap(([subsystem, prefixes]) => prefixes.split(' ').map((p) => [p, subsystem])),
);
const OF_MODULE = new Map(
  SUBSYSTEMS.flatMap(([subsystem, , modules = '']) => modules.split(' ').map((m) => [m, subsystem])),
);

/** Prefixes so short are those of other drivers, too. */
const SHORT = 2;

/** The part of the kernel that a function belongs to by its module, or else by its name; undefined if neither tells. */
export function subsystemOf({ symbol, module }: Frame): string | undefined {
  const ofModule = module === undefined ? undefined : subsystemOfModule(module);
  if (ofModule !== undefined) return ofModule;
  const words = functionName(symbol).replace(/^_+/, '').split('_');
  for (let count = Math.min(words.length - 1, 3); count > 0; count--) {
    const prefix = words.slice(0, count).join('_');
    const found = OF_PREFIX.get(prefix);
    const isOwn = prefix.length > SHORT || module === undefined || module.startsWith(prefix);
    if (found !== undefined && isOwn) return found;
  }
  return undefined;
}

function subsystemOfModule(module: string): string | undefined {
  const prefix = module.slice(0, module.indexOf('_') + 1);
  return OF_MODULE.get(module) ?? (prefix === '' ? undefined : OF_MODULE.get(prefix));
}
