/*
 * Titles and names of files are text, whatever is in them: strings that look like scripts, and
 * those of the Big List of Naughty Strings where it lies beside the clips, go through the pages
 * for uploads, renaming, the list, the log, watching, sharing and embedding in a real Chromium.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { dropFiles, launchBrowser } from '../lib/browser.mjs';
import { kept, NAUGHTY } from '../lib/naughty.mjs';
import { openPage, setUp } from '../lib/people.mjs';
import { startSite, tinyMp4, waitFor } from '../lib/site.mjs';

const TITLE_BYTES = 255;
const SHORT_BYTES = 8; // null, -1, quotes and the like
const BETWEEN = ' · ';

/* singles: each string by itself. titles: several in one, for what takes its time. mixed: these,
 * and by themselves those that may mean something as they are. */
let site, browser, page, log, titles, singles, mixed;

/* All of them, as they are once they are stored: what is too long is cut. */
function makeTitles() {
    const each = NAUGHTY.map(kept).filter((s) => s !== '').map(cut);
    const packed = [];
    for (const string of each) {
        const longer = packed.length > 0 ? packed.at(-1) + BETWEEN + string : '';
        if (longer !== '' && Buffer.byteLength(longer) <= TITLE_BYTES) packed[packed.length - 1] = longer;
        else packed.push(string);
    }
    return { titles: packed, singles: [...new Set(each)] };
}

function cut(string) {
    let text = string;
    while (Buffer.byteLength(text) > TITLE_BYTES) text = [...text].slice(0, -1).join('');
    return text.replace(/ +$/, '');
}

before(async () => {
    ({ titles, singles } = makeTitles());
    mixed = [...titles, ...singles.filter((single) => Buffer.byteLength(single) <= SHORT_BYTES)];
    site = await startSite({ env: { DROPSTREAM_AUTH: 'required' } });
    browser = await launchBrowser();
    page = await open();
    await setUp(site, page, 'ada');
    // From before the uploads on: it shows more than the newest lines only as they come.
    log = await open({ storageState: await page.context().storageState() });
    await log.goto(`${site.url}/activity`);
    await log.locator('main li').first().waitFor();
});
after(async () => {
    await browser?.close();
    await site?.stop();
});

const logged = (fn) => (t) => site.logged(fn)(t);

async function open(options) {
    // It is drawn anew hundreds of times.
    const opened = await openPage(browser, { viewport: { width: 640, height: 480 }, ...options });
    await opened.addInitScript(`window.settles = ${settles}; window.rename = ${rename};`);
    opened.on('dialog', (dialog) => {
        opened.complaints.push(`dialog: ${dialog.message()}`);
        void dialog.dismiss();
    });
    return opened;
}

/* The API as the page itself uses it. */
const api = (method, target, body) =>
    page.evaluate(
        async ([m, t, b]) => {
            const init = b === undefined ? { method: m } : { method: m, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(b) };
            const answer = await fetch(t, init);
            return { status: answer.status, json: answer.status === 204 ? null : await answer.json() };
        },
        [method, target, body],
    );

async function allVideos() {
    const videos = [];
    for (let after = ''; after !== null; ) {
        const { json } = await api('GET', `/api/videos?limit=200${after && `&after=${encodeURIComponent(after)}`}`);
        videos.push(...json.videos);
        after = json.next;
    }
    return videos;
}

/* In the page: resolves to what lacking() finds once that is "", or after five seconds. */
const settles = async (lacking) => {
    const late = AbortSignal.timeout(5000);
    await new Promise((resolve) => {
        const look = () => (lacking() === '' || late.aborted) && (observer.disconnect(), resolve());
        const observer = new MutationObserver(look);
        observer.observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
        late.addEventListener('abort', look);
        look();
    });
    return lacking();
};

/* In the page: gives a video another title. */
const rename = async (id, title) => {
    const headers = { 'Content-Type': 'application/json' };
    const answer = await fetch(`/api/videos/${id}`, { method: 'PATCH', headers, body: JSON.stringify({ title }) });
    if (!answer.ok) throw new Error(`${answer.status} for ${title}`);
};

/* Gives a video each title of the list, has the page look for news, and waits until it is in
 * all those places; resolves to what was wrong, or "". places: [selector, text before it, text
 * after it]; "title" is the document's. */
const showsAll = (id, list, places) =>
    page.evaluate(
        async ([wanted, video, where]) => {
            // HTML: a document's title is without blanks that make no difference.
            const plain = (text) => text.replace(/[\t\n\f\r ]+/g, ' ').replace(/^ | $/g, '');
            const lacking = (title) => {
                for (const [selector, before, after] of where) {
                    const text = before + title + after;
                    const shown = selector === 'title' ? document.title : document.querySelector(selector)?.textContent;
                    if (shown !== (selector === 'title' ? plain(text) : text)) return `${selector}: ${shown} instead of ${text}`;
                }
                return '';
            };
            for (const title of wanted) {
                await window.rename(video, title);
                document.dispatchEvent(new Event('visibilitychange'));
                const wrong = await window.settles(() => lacking(title));
                if (wrong !== '') return wrong;
            }
            return '';
        },
        [list, id, places],
    );

/* As showsAll, of the cards of the library, each with a title of its own at a time. */
const cardsShowAll = (list) =>
    page.evaluate(async (wanted) => {
        const ids = [...document.querySelectorAll('.card')].map((card) => card.dataset.id);
        const lacking = (titles) => {
            for (const [i, title] of titles.entries()) {
                const shown = document.querySelector(`.card[data-id="${ids[i]}"] h2`)?.textContent;
                if (shown !== title) return `${shown} instead of ${title}`;
            }
            return '';
        };
        for (let from = 0; from < wanted.length; from += ids.length) {
            const titles = wanted.slice(from, from + ids.length);
            await Promise.all(titles.map((title, i) => window.rename(ids[i], title)));
            document.dispatchEvent(new Event('visibilitychange'));
            const wrong = await window.settles(() => lacking(titles));
            if (wrong !== '') return wrong;
        }
        return '';
    }, list);

test('as names of files that are uploaded', logged(async () => {
    const files = titles.map((title) => ({ name: `${cut(title)}.mp4`, buffer: tinyMp4(100) }));
    await page.goto(site.url);
    await page.getByText('Choose files').waitFor();
    await dropFiles(page, files);
    const rows = page.locator('section[aria-labelledby=uploads-heading] li');
    await waitFor(async () => (await rows.count()) === files.length, { what: 'a row for each' });
    const names = await rows.evaluateAll((list) => list.map((row) => row.querySelector('.name span').textContent));
    const dropped = await page.evaluate((list) => list.map((name) => new File([], name).name), files.map(({ name }) => name));
    assert.deepEqual(names, dropped);
    await waitFor(async () => (await page.getByText(/^Uploaded · /).count()) === files.length, { timeout: 60_000, what: 'all uploads' });
    assert.deepEqual(page.complaints, []);
}));

test('as titles in the log', logged(async () => {
    const stored = Object.fromEntries((await allVideos()).map(({ id, title }) => [`/watch/${id}`, title]));
    const shown = () => log.locator('main li a').evaluateAll((links) => Object.fromEntries(links.map((a) => [a.getAttribute('href'), a.textContent])));
    await waitFor(async () => Object.keys(await shown()).length === titles.length, { what: 'all of them' });
    assert.deepEqual(await shown(), stored);
    assert.deepEqual(log.complaints, []);
    await log.context().close();
}));

test('as titles in the list and in its search', logged(async () => {
    await page.goto(site.url);
    for (;;) {
        const more = page.getByRole('button', { name: 'Load more' });
        await page.locator('.card').first().waitFor();
        if ((await more.count()) === 0) break;
        const before = await page.locator('.card').count();
        await more.click();
        await waitFor(async () => (await page.locator('.card').count()) > before, { every: 10 });
    }
    const stored = await allVideos();
    const shown = await page.locator('.card').evaluateAll((cards) => cards.map((card) => [card.dataset.id, card.querySelector('h2').textContent]));
    assert.equal(shown.length, titles.length);
    assert.deepEqual(Object.fromEntries(shown), Object.fromEntries(stored.map(({ id, title }) => [id, title])));

    const wanted = '<script>alert(1)</script>';
    await page.getByRole('searchbox').fill(wanted);
    await waitFor(async () => (await page.locator('.card').count()) < titles.length, { what: 'the search' });
    await page.getByRole('searchbox').fill(`${wanted}${wanted}`);
    await page.getByText(`Nothing matches “${wanted}${wanted}”.`).waitFor();
    assert.deepEqual(page.complaints, []);
}));

test('as titles that are typed', logged(async () => {
    const { json } = await api('GET', '/api/videos?limit=1');
    const [{ id }] = json.videos;
    await page.goto(`${site.url}/watch/${id}`);
    await page.getByRole('button', { name: 'Rename' }).waitFor();
    const wrong = await page.evaluate(async (wanted) => {
        const button = () => [...document.querySelectorAll('.actions button')].find((b) => b.textContent.trim() === 'Rename');
        for (const typed of wanted) {
            const title = typed.trim(); // what is blank at the ends is not meant
            if (title === '' || title === document.querySelector('h1').textContent) continue;
            button().click();
            await window.settles(() => (document.querySelector('input[aria-label=Title]') ? '' : 'no field'));
            const input = document.querySelector('input[aria-label=Title]');
            input.value = typed;
            input.dispatchEvent(new Event('input', { bubbles: true }));
            input.form.requestSubmit();
            const wrong = await window.settles(() => {
                const shown = document.querySelector('h1')?.textContent;
                return shown === title ? '' : `${shown} instead of ${title}`;
            });
            if (wrong !== '') return wrong;
        }
        return '';
    }, mixed);
    assert.equal(wrong, '');
    assert.deepEqual(page.complaints, []);
}));

test('as titles where they are watched, shared and embedded', logged(async () => {
    const { json } = await api('GET', '/api/videos?limit=1');
    const [{ id, filename }] = json.videos;
    await page.goto(`${site.url}/watch/${id}`);
    await page.getByRole('button', { name: 'Rename' }).waitFor();
    assert.equal(await page.locator('dl div').filter({ hasText: /^Name/ }).locator('dd').textContent(), filename);
    await page.getByRole('button', { name: 'Share', exact: true }).click();
    await page.getByLabel('Other sites may show the player').check();
    await page.getByRole('dialog').getByRole('button', { name: 'Make a link' }).click();
    const token = await page.locator('li[data-token]').getAttribute('data-token');
    const heading = [['h1', '', ''], ['title', '', ' · dropstream']];
    // The dialogue stays open.
    assert.equal(await showsAll(id, mixed, [...heading, ['dialog h2', 'Share “', '”']]), '');
    await page.goto(`${site.url}/s/${token}`);
    await page.locator('h1').waitFor();
    assert.equal(await showsAll(id, mixed, heading), '');
    await page.goto(`${site.url}/e/${token}`);
    await page.waitForFunction(() => document.title !== 'dropstream');
    assert.equal(await showsAll(id, mixed, [['title', '', '']]), '');
    assert.deepEqual(page.complaints, []);
}));

test('as titles in the list, each by itself', logged(async () => {
    await page.goto(site.url);
    await page.locator('.card').first().waitFor();
    assert.equal(await cardsShowAll(singles), '');
    assert.deepEqual(page.complaints, []);
}));
