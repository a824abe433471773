/**
 * The Content-Security-Policy of the explorer: nothing from elsewhere, no script but the site's own. `wasm-unsafe-eval` lets the
 * playground compile its kernels, and `blob:` workers are where these run; inline styles are Observable Plot's.
 */
export const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "worker-src 'self' blob:",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');
