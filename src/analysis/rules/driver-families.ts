import { LOG, OTHERS_BLOCKED } from './commands.ts';
import type { Pattern, Rule } from './rule.ts';

const LOOK = [...LOG, ...OTHERS_BLOCKED];
const SILENT = 'The chip or its firmware does not answer.';

/** id, what the drivers are for, a source, and the names of their functions. */
const FAMILIES: readonly (readonly [id: string, chip: string, source: string, ...names: Pattern[]])[] = [
  [
    'nfc',
    'an NFC chip',
    'drivers/nfc/pn533/pn533.c: pn533_send_cmd_sync',
    /pn533_\w+|pn544_\w+|nfc_\w+|nci_\w+|st21nfca_\w+|trf7970a_\w+|port100_\w+/,
  ],
  [
    'wifi-driver',
    'a WiFi adapter',
    'drivers/net/wireless/broadcom/brcm80211/brcmfmac/sdio.c: brcmf_sdio_bus_stop',
    /(?:brcmf|brcms|ath\d+k\w*|iwl|mt76\w*|mt79\w+|mwifiex|rtw\d*|rtl8\w+|wl12\w+|wlcore|wilc|rsi|b43)_\w+/,
  ],
  [
    'cec',
    'a device on an HDMI bus (CEC)',
    'drivers/media/cec/core/cec-adap.c: cec_claim_log_addrs',
    /_?_?cec_\w+|pulse8_\w+|rain_\w+/,
  ],
  [
    'sensor-chip',
    'a sensor (IIO)',
    'drivers/iio/industrialio-core.c: iio_read_channel_info',
    /iio_\w+|bme680_\w+|bmp280_\w+|mpu\d+_\w+|hid_sensor_\w+/,
  ],
  ['rtc', 'the clock chip (RTC)', 'drivers/rtc/interface.c: rtc_read_time', /rtc_\w+|cmos_\w+/],
  ['led', 'an LED', 'drivers/leds/led-core.c: led_stop_software_blink', /led_\w+|ledtrig_\w+/],
  [
    'battery',
    'the battery or charger',
    'drivers/power/supply/power_supply_core.c: power_supply_get_property',
    /power_supply_\w+/,
  ],
  [
    'infiniband-core',
    'an RDMA adapter',
    'drivers/infiniband/core/device.c: disable_device',
    /ib_\w+|rdma_\w+|irdma_\w+/,
  ],
];

/** Drivers of which only the kind of device is known, by the prefix of their functions. */
export const DRIVER_FAMILIES: readonly Rule[] = FAMILIES.map(([id, chip, source, ...names]) => ({
  id,
  kind: 'blocked',
  match: [names],
  innermost: true,
  waitsFor: `${chip} or its driver, in {caller}`,
  inOrderTo: `use ${chip}`,
  causes: SILENT,
  next: LOOK,
  stuck: ['device', 'usb', 'rtnl', 'rfkill'],
  source,
}));
