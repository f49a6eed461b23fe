/* naughty.mjs: texts that have broken other programs, and what is kept of one as a title. With
 * the Big List of Naughty Strings beside the corpus, if it is there. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { CORPUS } from './media.mjs';

const OURS = [
    '<script>alert(1)</script>', '"><img src=x onerror=alert(1)>', "'; DROP TABLE videos; --",
    "'; alert(1); //", '</title><script>alert(1)</script>', '<svg onload=alert(1)>',
    '<iframe srcdoc="<script>parent.alert(1)</script>"></iframe>', 'javascript:alert(1)',
    '{@html "<b>x</b>"} {{7*7}} ${7*7}', '<style>* { display: none }</style>',
    '&lt;b&gt; &amp;amp; &#x41;', '\u202eright to left\u202c and back', '\u202etxt.mp4',
    '../../../etc/passwd', '%00', '%0d%0aSet-Cookie: a=b', 'Ω≈ç√∫˜µ≤≥÷', '{{7*7}}',
    '${jndi:ldap://x}', '__proto__', 'null', '-1', '🎬🏳️‍🌈', ' ', 'CON', 'a\u00a0b',
    '\ufefftitle', 'x'.repeat(1020), 'é'.repeat(510),
];

/* Its comments too: they are as good as any other text. */
function bigList() {
    const file = CORPUS && path.join(CORPUS, '../blns.txt');
    if (!file || !existsSync(file)) return [];
    return readFileSync(file, 'utf8').split('\n').filter((line) => line !== '');
}

export const NAUGHTY = [...new Set([...OURS, ...bigList()])];

const isControl = (c) => c < 0x20 || (c >= 0x7f && c <= 0x9f);
export const hasControl = (text) => [...text].some((letter) => isControl(letter.codePointAt(0)));

/* What is kept of it: control characters are blanks, and none stands at its ends. */
export const kept = (text) =>
    [...text].map((letter) => (isControl(letter.codePointAt(0)) ? ' ' : letter)).join('').replace(/^ +| +$/g, '');
