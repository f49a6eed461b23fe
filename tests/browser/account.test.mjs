/* The account page, and uploads whose person is signed out, in a real Chromium. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { promises as fs } from 'node:fs';
import { after, before, test } from 'node:test';

import { launchBrowser, overhang, slowUploads } from '../lib/browser.mjs';
import { addUser, complaintsBut, endSessions, makeShare, openPage, PASSWORD, setUp, signIn } from '../lib/people.mjs';
import { startSite, tinyMp4, waitFor } from '../lib/site.mjs';

const SLOW = 60_000; // ms
const OTHER_PASSWORD = 'another good one';

let site, browser, owner;

before(async () => {
    site = await startSite({ env: { DROPSTREAM_AUTH: 'required', DROPSTREAM_UPLOAD_CHUNK_MB: '1' } });
    browser = await launchBrowser();
    owner = await open();
    await setUp(site, owner, 'ada');
});
after(async () => {
    await browser?.close();
    await site?.stop();
});

const logged = (fn) => (t) => site.logged(fn)(t);

const open = (options) => openPage(browser, options);
const complaintsOf = (page) => complaintsBut(page, 401, 403, 409, 422, 429);
const bearer = (token, target = '/api/videos') => site.request('GET', target, { headers: { Authorization: `Bearer ${token}` } });

/* By the menu, as a person goes there. */
async function account(page) {
    await page.getByRole('button', { name: /^Signed in as / }).click();
    await page.getByRole('link', { name: 'Account' }).click();
    await page.getByRole('region', { name: 'Where you are signed in' }).getByRole('listitem').first().waitFor();
}

test('another session is signed out from here', logged(async () => {
    const other = await open({ userAgent: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0' });
    await other.goto(`${site.url}/account`);
    await signIn(other, 'ada');
    await other.getByRole('heading', { name: 'ada' }).waitFor();

    await account(owner);
    const sessions = owner.getByRole('list', { name: 'Sessions' }).getByRole('listitem');
    await waitFor(async () => (await sessions.count()) === 2);
    assert.match(await sessions.filter({ hasText: 'here' }).innerText(), /Chromium on Linux/);
    const row = sessions.filter({ hasText: 'Firefox on Linux' });
    await row.getByRole('button', { name: /^Sign out/ }).press('Enter');
    await owner.getByRole('dialog').getByRole('button', { name: 'Sign out' }).press('Enter');
    await row.waitFor({ state: 'detached' });
    // By keyboard one goes on from there, not from the top of the page.
    await owner.waitForFunction(() => document.activeElement.textContent === 'Where you are signed in');
    await other.goto(site.url);
    await other.getByRole('button', { name: 'Sign in', exact: true }).waitFor();
    assert.deepEqual(complaintsOf(owner), []);
    await other.context().close();
}));

test('all other sessions are signed out from here at once', logged(async () => {
    const others = [await open(), await open()];
    for (const other of others) {
        await other.goto(site.url);
        await signIn(other, 'ada');
        await other.getByText('Choose files').waitFor();
    }
    await owner.goto(`${site.url}/account`);
    const card = owner.getByRole('region', { name: 'Where you are signed in' });
    const sessions = card.getByRole('listitem');
    await waitFor(async () => (await sessions.count()) === 3);
    for (const text of await sessions.allInnerTexts()) assert.match(text, / · until [A-Z][a-z]{2} \d+, \d{4}$/m);
    await card.getByRole('button', { name: 'Sign out everywhere else' }).click();
    const asks = owner.getByRole('dialog', { name: 'Sign out everywhere else?' });
    await asks.getByRole('button', { name: 'Sign out' }).click();
    await waitFor(async () => (await sessions.count()) === 1);
    assert.equal(await card.getByRole('button').count(), 0);
    for (const other of others) {
        await other.goto(site.url);
        await other.getByRole('button', { name: 'Sign in', exact: true }).waitFor();
        await other.context().close();
    }
    await owner.reload();
    await sessions.first().waitFor();
    assert.deepEqual(complaintsOf(owner), []);
}));

test('a token is shown once, works for what it is for, and is taken back', logged(async () => {
    await account(owner);
    const card = owner.getByRole('region', { name: 'Tokens for programs' });
    await card.getByLabel('What uses it').fill('<b>curl</b>');
    await card.getByLabel('read and watch').check();
    await card.getByLabel('It ends after').selectOption({ label: '30 days' });
    await card.getByRole('button', { name: 'Make a token' }).click();
    const token = await card.locator('output').innerText();
    assert.match(token, /^[a-z2-7]{52}$/);
    assert.equal((await bearer(token)).status, 200);
    assert.equal((await bearer(token, '/api/users')).status, 403);
    const row = card.getByRole('listitem').filter({ hasText: '<b>curl</b>' });
    assert.match(await row.innerText(), /read/);

    await owner.reload();
    await row.waitFor();
    assert.equal(await card.locator('output').count(), 0);
    assert.ok(!(await owner.content()).includes(token));
    // One that is revoked at once is not shown any more either.
    await card.getByLabel('What uses it').fill('a slip');
    await card.getByRole('button', { name: 'Make a token' }).click();
    await card.locator('output').waitFor();
    await card.getByRole('button', { name: 'Revoke a slip' }).click();
    await owner.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
    await card.locator('output').waitFor({ state: 'detached' });
    assert.equal(await card.getByText('It is not shown again.').count(), 0);
    await row.getByRole('button', { name: /^Revoke/ }).click();
    await owner.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
    await row.waitFor({ state: 'detached' });
    assert.equal((await bearer(token)).status, 401);
    assert.deepEqual(complaintsOf(owner), []);
}));

test('an owner adds, changes and removes users', logged(async () => {
    await account(owner);
    const card = owner.getByRole('region', { name: 'Users' });
    const add = async (name, password) => {
        await card.getByLabel('Name', { exact: true }).fill(name);
        await card.getByLabel('First password').fill(password);
        await card.getByLabel('Role', { exact: true }).selectOption('member');
        await card.getByRole('button', { name: 'Add' }).click();
    };
    const hint = await card.getByText(/^At least/).textContent();
    const least = Number(/^At least (\d+) characters/.exec(hint)[1]);
    assert.match(hint, /Accented letters.* count as two or more/);
    const first = 'é'.repeat(least / 2);
    await add('carol', first.replace('é', 'e'));
    await card.locator('.error-text').filter({ hasText: /\w/ }).waitFor();
    await add('carol', first);
    const row = card.getByRole('listitem').filter({ hasText: 'carol' });
    await row.waitFor();

    const carol = await open();
    await carol.goto(site.url);
    await signIn(carol, 'carol', first);
    await carol.getByText('Choose files').waitFor();
    await account(carol);
    assert.equal(await carol.getByRole('region', { name: 'Users' }).count(), 0);
    await carol.getByLabel('Old password').fill(first);
    await carol.getByLabel('New password').fill(OTHER_PASSWORD);
    await carol.getByRole('button', { name: 'Change the password' }).click();
    await carol.getByText('Your password is another one now.').waitFor();

    // Whoever may do less than before has to sign in again, and is shown less.
    await row.getByLabel('Role of carol').selectOption('viewer');
    const asks = owner.getByRole('dialog', { name: 'Make carol a viewer?' });
    await asks.getByText(/carol is signed out everywhere/).waitFor();
    await asks.getByRole('button', { name: 'Cancel' }).click();
    await asks.waitFor({ state: 'detached' });
    assert.equal(await row.getByLabel('Role of carol').inputValue(), 'member', 'not yet');
    assert.match((await site.ctl(['user', 'ls'])).out, /carol.*member/);
    await row.getByLabel('Role of carol').selectOption('viewer');
    await asks.getByRole('button', { name: 'Change the role' }).click();
    await owner.getByText('carol is a viewer now.').waitFor();
    await waitFor(async () => (await site.ctl(['user', 'ls'])).out.match(/carol.*viewer/));
    await carol.goto(site.url);
    await signIn(carol, 'carol', OTHER_PASSWORD);
    await carol.getByText('There are no videos here yet that you may watch.').waitFor();
    assert.equal(await carol.getByText('Choose files').count(), 0);

    await row.getByRole('button', { name: /^New password/ }).click();
    const dialog = owner.getByRole('dialog');
    await dialog.getByText('carol is signed out everywhere by it, and tokens of theirs end.').waitFor();
    await dialog.getByLabel('New password').fill(PASSWORD);
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.waitFor({ state: 'detached' });
    await carol.goto(site.url);
    await signIn(carol, 'carol');
    await carol.getByText('There are no videos here yet that you may watch.').waitFor();

    await row.getByRole('button', { name: 'Remove carol' }).click();
    await owner.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await row.waitFor({ state: 'detached' });
    await carol.goto(site.url);
    await carol.getByRole('button', { name: 'Sign in', exact: true }).waitFor();

    // Somebody has to own the site.
    await card.getByLabel('Role of ada').selectOption('member');
    const last = owner.getByRole('dialog', { name: 'Give up owning this site?' });
    await last.getByRole('button', { name: 'Give it up' }).click();
    await last.getByText(/must have an owner/).waitFor();
    await last.getByRole('button', { name: 'Cancel' }).click();
    assert.equal(await card.getByLabel('Role of ada').inputValue(), 'owner');
    assert.deepEqual([complaintsOf(owner), complaintsOf(carol)], [[], []]);
    await carol.context().close();
}));

test('an upload whose person is signed out says so, and goes on where it was', logged(async () => {
    await addUser(site, 'eve', 'member');
    const page = await open();
    await page.goto(site.url);
    await signIn(page, 'eve');
    await page.getByText('Choose files').waitFor();
    await slowUploads(page, 1_000_000);
    const file = tinyMp4(6_000_000);
    for (let i = 100; i < file.length; i += 97) file[i] = i % 251;
    await page.setInputFiles('input[type=file]', { name: 'long.mp4', mimeType: 'video/mp4', buffer: file });
    const bar = page.getByRole('progressbar', { name: 'Upload of long.mp4' });
    await waitFor(async () => Number(await bar.getAttribute('aria-valuenow')) > 20, { what: 'some of it' });
    await endSessions(site, 'eve');
    await page.getByText('Your session has ended. You go on where you are, and so do your uploads.').waitFor({ timeout: SLOW });
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await page.keyboard.press('Enter');
    await bar.waitFor();
    assert.ok(Number(await bar.getAttribute('aria-valuenow')) > 10, 'it did not begin anew');
    await page.getByText(/^Uploaded · /).waitFor({ timeout: SLOW });
    const [name] = (await site.spool()).filter((entry) => entry.endsWith('.src'));
    const sha = (bytes) => createHash('sha256').update(bytes).digest('hex');
    assert.equal(sha(await fs.readFile(site.path('spool', name))), sha(file));
    assert.deepEqual(complaintsOf(page), []);
    await page.context().close();
}));

test('who may not upload any more is told so at the upload', logged(async () => {
    await addUser(site, 'finn', 'member');
    const page = await open();
    await page.goto(site.url);
    await signIn(page, 'finn');
    await page.getByText('There are no videos here yet.').waitFor();
    // So that it is the upload that finds out, and not the next look at the library.
    let goOn;
    const held = new Promise((resolve) => (goOn = resolve));
    await page.route(/\/api\/videos\?/, (route) => held.then(() => route.continue()));
    await site.ctl(['user', 'role', 'finn', 'viewer']); // which ends the session too
    await page.setInputFiles('input[type=file]', { name: 'late.mp4', mimeType: 'video/mp4', buffer: tinyMp4(50_000) });
    goOn();
    await page.getByText('Your session has ended.').waitFor({ timeout: SLOW });
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Signed in as finn' }).waitFor();
    await page.getByRole('listitem').filter({ hasText: 'late.mp4' }).locator('.message').getByText('You may not upload here any more.').waitFor();
    assert.deepEqual(complaintsOf(page), []);
    await page.context().close();
}));

test('each of these pages fits a phone, in light and dark, and is gone through by keyboard', logged(async () => {
    for (const colorScheme of ['light', 'dark']) {
        const page = await open({ viewport: { width: 360, height: 740 }, colorScheme });
        await page.goto(`${site.url}/account`);
        await page.getByLabel('Name', { exact: true }).waitFor();
        await page.waitForFunction(() => document.activeElement.name === 'username');
        await page.getByText('Forgotten your password? An owner of this site can give you a new one.').waitFor();
        assert.ok((await overhang(page)) <= 0, 'sign-in');
        await page.keyboard.type('ada');
        await page.keyboard.press('Tab');
        await page.keyboard.type(PASSWORD);
        await page.keyboard.press('Enter');
        await page.getByRole('region', { name: 'Users' }).getByRole('listitem').first().waitFor();
        assert.ok((await overhang(page)) <= 0, 'account');
        await page.getByRole('button', { name: 'Signed in as ada' }).focus();
        await page.keyboard.press('Enter');
        await page.keyboard.press('Tab');
        assert.equal(await page.evaluate(() => document.activeElement.textContent.trim()), 'Account');
        assert.ok((await overhang(page)) <= 0, 'menu');
        await page.keyboard.press('Escape');
        assert.equal(await page.evaluate(() => document.activeElement.getAttribute('aria-label')), 'Signed in as ada');
        assert.equal(await page.getByRole('button', { name: 'Sign out', exact: true }).count(), 0);
        assert.deepEqual(complaintsOf(page), []);
        await page.context().close();
    }
}));

test('a form that has to wait says so, keeps what was typed, and goes on by itself', logged(async () => {
    const error = JSON.stringify({ error: { code: 'too_many', message: 'Too many of them.' } });
    const headers = { 'Content-Type': 'application/json', 'Retry-After': '2' };
    let tries = 0;
    await owner.route(/\/api\/(tokens|users)$/, (route) => {
        if (route.request().method() === 'GET') return route.continue();
        tries += 1;
        return route.fulfill({ status: 429, headers, body: error });
    });
    await account(owner);
    const user = owner.getByRole('form', { name: 'New user' });
    await user.getByLabel('Name', { exact: true }).fill('gina');
    await user.getByLabel('First password').fill(PASSWORD);
    const token = owner.getByRole('form', { name: 'New token' });
    await token.getByLabel('What uses it').fill('a script');
    for (const [form, name, typed] of [[user, 'Add', 'First password'], [token, 'Make a token', 'What uses it']]) {
        const value = await form.getByLabel(typed).inputValue();
        const before = tries;
        await form.getByRole('button', { name, exact: true }).click();
        const waits = form.getByRole('button', { name: /^Wait \d s$/ });
        await waits.waitFor();
        assert.equal(await waits.getAttribute('aria-disabled'), 'true');
        await form.getByText('Too many of them.').waitFor();
        await form.getByLabel(typed).press('Enter');
        await form.getByRole('button', { name, exact: true }).waitFor();
        assert.equal(await form.getByText('Too many of them.').count(), 0);
        assert.equal(tries, before + 1, 'nothing is tried meanwhile');
        assert.equal(await form.getByLabel(typed).inputValue(), value);
    }
    await owner.unroute(/\/api\/(tokens|users)$/);
}));

test('whoever gives up owning the site is told what that ends, and what has ended', logged(async () => {
    await addUser(site, 'hal', 'owner');
    const page = await open();
    await page.goto(site.url);
    await signIn(page, 'hal');
    await page.getByText('Choose files').waitFor();
    // A video of somebody else, with two links of hal's.
    await owner.goto(site.url);
    await owner.setInputFiles('input[type=file]', { name: 'hers.mp4', mimeType: 'video/mp4', buffer: tinyMp4(50_000) });
    await owner.getByText(/^Uploaded · /).waitFor();
    const video = await owner.locator('.card').first().getAttribute('data-id');
    for (let i = 0; i < 2; i += 1) await makeShare(page, video, {});
    await account(page);
    await page.getByLabel('Role of hal').selectOption('member');
    const dialog = page.getByRole('dialog', { name: 'Give up owning this site?' });
    await dialog.getByText(/You become a member, and cannot take that back.*the links that you have made to videos of others/).waitFor();
    await dialog.getByRole('button', { name: 'Give it up' }).click();
    await page.getByText('Your session has ended.').waitFor();
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await page.keyboard.press('Enter');
    await page.getByText('hal is a member now. 2 links of hal to videos of others ended by it.').waitFor();
    assert.equal(await page.getByRole('region', { name: 'Users' }).count(), 0);
    assert.deepEqual([complaintsOf(owner), complaintsOf(page)], [[], []]);
    await page.context().close();
}));

// The last one: from this address nobody signs in for a while.
test('too many wrong passwords: the page says how long to wait, and counts', logged(async () => {
    await addUser(site, 'dora', 'viewer');
    const page = await open();
    await page.goto(site.url);
    await waitFor(async () => {
        await page.getByLabel('Name', { exact: true }).fill('dora');
        await page.getByLabel('Password', { exact: true }).fill('wrong wrong');
        await page.keyboard.press('Enter');
        await page.locator('.error-text').filter({ hasText: /\w/ }).waitFor();
        return (await page.getByRole('button', { name: /^Wait \d+ s$/ }).count()) === 1;
    }, { what: 'a wait' });
    await page.getByRole('button', { name: 'Sign in', exact: true }).waitFor();
    await page.context().close();
}));
