import { h } from './dom.ts';
import { caseHash } from './route.ts';

/** An id whose lines break between its words. */
const breakable = (id: string): (string | HTMLElement)[] =>
  id.split(/(?<=[.@])/).flatMap((part, index) => (index === 0 ? [part] : [h('wbr'), part]));

export const caseLink = (id: string): HTMLElement => h('a', { href: caseHash(id) }, breakable(id));
