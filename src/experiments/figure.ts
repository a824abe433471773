/** The pictures of experiments, which are drawn as those of reports are. */
export { COLOURS, figure } from '../report/figure.ts';
