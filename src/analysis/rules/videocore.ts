import { LOG, OTHERS_BLOCKED } from './commands.ts';
import { lockRule } from './lock-rule.ts';
import type { Rule } from './rule.ts';

const AT_VIDEOCORE = 'kstack -L --function "vchiq|vc_|rpi_firmware" -f long';
const SILENT = 'The firmware of the VideoCore has crashed, or lacks memory: a camera or codec program was killed.';

/** The VideoCore processor of a Raspberry Pi. Before 5.0 its driver waited for messages in semaphores. */
export const VIDEOCORE: readonly Rule[] = [
  lockRule({
    id: 'videocore-close',
    takers: ['vchiq_release', 'vchiq_shutdown_service', 'vchiq_remove_service', 'vchiq_close_service'],
    lock: 'semaphore',
    sleeps: ['lock', 'completion'],
    likely: true,
    waitsFor: 'the firmware of the VideoCore to close a connection (VCHIQ)',
    causes: SILENT,
    next: [...LOG, AT_VIDEOCORE, ...OTHERS_BLOCKED],
    stuck: ['device'],
    source: 'drivers/staging/vc04_services/interface/vchiq_arm/vchiq_dev.c: vchiq_release',
  }),
  {
    id: 'videocore-messages',
    kind: 'idle',
    match: [
      [
        'slot_handler_func',
        'recycle_func',
        'sync_func',
        'vchiq_keepalive_thread_func',
        'vchiq_ioc_await_completion',
        'vchiq_wait',
      ],
    ],
    sleeps: ['schedule', 'event', 'completion', 'lock'],
    waitsFor: 'messages from the VideoCore (VCHIQ)',
    inOrderTo: 'handle messages from the VideoCore (VCHIQ)',
    causes: 'Normal.',
    next: ['kstack -p PID -f long'],
    source: 'drivers/staging/vc04_services/interface/vchiq_arm/vchiq_core.c: slot_handler_func',
  },
];
