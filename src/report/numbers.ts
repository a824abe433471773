/** Numbers as people read them. It must not know what they count. */

/** With thousands set apart: 4,608. */
export function grouped(value: number): string {
  return minus(value.toLocaleString('en-US', { maximumFractionDigits: 0 }));
}

/** With `decimals` places; a number that they would show as zero, and is not, gets two significant digits. */
export function decimal(value: number, decimals: number): string {
  const text = value.toFixed(decimals);
  if (value === 0 || Number(text) !== 0) return minus(Number(text) === 0 ? (0).toFixed(decimals) : text);
  return Math.abs(value) < 1e-4 ? power(value) : minus(String(Number(value.toPrecision(2))));
}

/** With three significant digits and a thousand's letter: 12.3 G. */
export function scaled(value: number): string {
  const letters = ['', ' k', ' M', ' G', ' T', ' P', ' E'];
  const [mantissa, exponent] = value.toExponential(2).split('e').map(Number);
  const step = Math.min(letters.length - 1, Math.max(0, Math.floor(exponent / 3)));
  return minus(`${Number((mantissa * 10 ** (exponent - 3 * step)).toPrecision(3))}${letters[step]}`);
}

/** A share as a percentage with two significant digits: 0.12 %. */
export function percent(share: number): string {
  if (share === 0) return '0 %';
  if (share < 1e-6) return `${power(share * 100)} %`;
  return `${(share * 100).toPrecision(share >= 0.995 ? 3 : 2)} %`;
}

/** A duration: 4.2 s, 3 min 12 s, 1 h 04 min. */
export function duration(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${pad(whole % 60)} s`;
  const minutes = Math.round(seconds / 60);
  return `${grouped(Math.floor(minutes / 60))} h ${pad(minutes % 60)} min`;
}

/** A power of ten with its exponent raised: 10⁻³. */
export function powerOfTen(exponent: number): string {
  const raised = [...String(exponent)].map((digit) => (digit === '-' ? '⁻' : '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(digit)]));
  return `10${raised.join('')}`;
}

function power(value: number): string {
  const [mantissa, exponent] = value.toExponential(1).split('e');
  return minus(`${mantissa} × ${powerOfTen(Number(exponent))}`);
}

function pad(value: number): string {
  return String(value).padStart(2, '0');
}

/** The minus sign has the width of a figure; the hyphen has not. */
function minus(text: string): string {
  return text.replace(/^-/, '−');
}
