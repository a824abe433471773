/**
 * The page's one script, as text: search, sort, filter, and the keys j, k and /. Without it the page shows the
 * same latents; only its controls stay hidden. It must not know anything but the page.
 */
export const CLIENT = `
'use strict';
const list = document.querySelector('.latents');
if (list) {
  const controls = document.querySelector('.controls');
  const search = controls.querySelector('[type=search]');
  const sort = controls.querySelector('.sort');
  const band = controls.querySelector('.band');
  const shown = controls.querySelector('output');
  const all = [...list.querySelectorAll('.latent')];
  const texts = new Map();
  controls.hidden = false;

  const text = (latent) => {
    if (!texts.has(latent)) texts.set(latent, latent.textContent.toLowerCase());
    return texts.get(latent);
  };
  const inBand = (density) =>
    band.value === 'rare' ? density < 0.001 : band.value === 'middle' ? density >= 0.001 && density <= 0.1
      : band.value === 'dense' ? density > 0.1 : true;
  const matches = (latent) => {
    if (!inBand(Number(latent.dataset.density))) return false;
    const words = search.value.toLowerCase().split(/\\s+/).filter(Boolean);
    return words.every((word) => word[0] === '#' ? '#' + latent.dataset.latent === word : text(latent).includes(word));
  };
  const filter = () => {
    let count = 0;
    for (const latent of all) {
      latent.hidden = !matches(latent);
      if (!latent.hidden) count++;
    }
    shown.textContent = count === all.length ? all.length + ' latents' : count + ' of ' + all.length + ' latents';
  };
  const order = () => {
    const [key, sign] = { latent: ['latent', 1], dense: ['density', -1], rare: ['density', 1], strong: ['max', -1] }[sort.value];
    all.sort((a, b) => sign * (a.dataset[key] - b.dataset[key]));
    list.append(...all);
  };
  const show = (latent) => {
    for (const other of all) other.open = other === latent;
    const summary = latent.querySelector('summary');
    summary.focus({ preventScroll: true });
    latent.scrollIntoView({ block: 'start' });
  };
  const step = (by) => {
    const visible = all.filter((latent) => !latent.hidden);
    const at = visible.findIndex((latent) => latent.contains(document.activeElement));
    const from = at >= 0 ? at : visible.findIndex((latent) => latent.open);
    const next = visible[from < 0 ? 0 : Math.min(visible.length - 1, Math.max(0, from + by))];
    if (next) show(next);
  };

  search.addEventListener('input', filter);
  band.addEventListener('change', filter);
  sort.addEventListener('change', order);
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = event.target instanceof Element && event.target.matches('input[type=search], select');
    if (event.key === 'Escape' && event.target === search) { search.value = ''; filter(); search.blur(); }
    else if (typing) return;
    else if (event.key === 'j') step(1);
    else if (event.key === 'k') step(-1);
    else if (event.key === '/') { event.preventDefault(); controls.scrollIntoView({ block: 'nearest' }); search.focus(); }
  });
  const named = () => {
    const card = location.hash.startsWith('#latent-') && document.getElementById(location.hash.slice(1));
    if (card) show(card.parentElement);
  };
  addEventListener('hashchange', named);
  filter();
  named();
}
`;
