/** A forecast, and its check, in one screen of text. */

import { aloneSeconds } from '../pipeline/clock.ts';
import type { Compared, Cost, CostCheck } from '../pipeline/cost.ts';
import { duration, scaled } from '../report/numbers.ts';
import { facts, table } from './text.ts';

export function costText({
  phases,
  total,
  memory,
  disk,
  cached,
  assumptions,
  rehearsalSeconds,
}: Cost): string {
  const line = (name: string, alone: number, wall: number, cpu: number, flops?: number, moved?: number) => [
    name,
    duration(alone),
    duration(wall),
    duration(cpu),
    flops ? `${scaled(flops)}FLOP` : '',
    moved ? `${scaled(moved)}B` : '',
  ];
  const rows = Object.entries(phases).map(([name, { flops, bytesMoved, ...seconds }]) =>
    line(name, aloneSeconds(seconds), seconds.wallSeconds, seconds.cpuSeconds, flops, bytesMoved),
  );
  rows.push(line('all', total.aloneSeconds, total.wallSeconds, total.cpuSeconds, total.flops));
  const times = table(['phase', 'alone', 'as busy as now', 'CPU time', 'operations', 'moved'], rows, [
    'left',
    'right',
    'right',
    'right',
    'right',
  ]);
  const bytes = (parts: Readonly<Record<string, number>>) =>
    Object.entries(parts)
      .map(([name, value]) => `${name} ${scaled(value)}B`)
      .join(', ');
  const needs = facts([
    ['memory', `${scaled(memory.peak)}B at the peak, measured with arrays of full size`],
    ['', `of it at least, beside the model: ${bytes(memory.live)}`],
    ['disk', `${scaled(Object.values(disk).reduce((a, b) => a + b, 0))}B: ${bytes(disk)}`],
    ['in the cache', cached.length > 0 ? cached.join(', ') : 'nothing'],
    ['assumed', assumptions.length > 0 ? assumptions.join('; ') : 'nothing'],
  ]);
  return `${times}\n\n${needs}\n\nRehearsed in ${duration(rehearsalSeconds)}. The first time is that of a machine on which nothing else runs, the second of one as busy as this was.`;
}

export function checkText({
  phases,
  wallSeconds,
  aloneSeconds: alone,
  cpuSeconds,
  memory,
  disk,
  flops,
}: CostCheck): string {
  const line = (name: string, { forecast, fact, error }: Compared, show: (value: number) => string) => [
    name,
    show(forecast),
    show(fact),
    `${error < 0 ? '−' : '+'}${Math.abs(error * 100).toFixed(0)} %`,
  ];
  const inBytes = (value: number) => `${scaled(value)}B`;
  return table(
    ['', 'forecast', 'fact', 'error'],
    [
      ...Object.entries(phases).map(([name, compared]) => line(name, compared, duration)),
      line('all', alone, duration),
      line('all, with others on the machine', wallSeconds, duration),
      line('all, CPU time', cpuSeconds, duration),
      ...(memory ? [line('memory', memory, inBytes)] : []),
      ...(disk ? [line('disk', disk, inBytes)] : []),
      line('operations', flops, (value) => `${scaled(value)}FLOP`),
    ],
    ['left', 'right', 'right', 'right'],
  );
}
