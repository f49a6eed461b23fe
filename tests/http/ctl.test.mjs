/* dropstreamctl as a person and a script use it, beside a site that runs. */
import assert from 'node:assert/strict';
import { execFile, spawn, spawnSync } from 'node:child_process';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { startSite, waitFor, withSite } from '../lib/site.mjs';

const PASSWORD = 'correct horse battery';
const ISO = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`;

async function sql(site, text) {
    const { stdout } = await promisify(execFile)('sqlite3', ['-cmd', '.timeout 5000', site.path('db/dropstream.db'), text]);
    return stdout.trim();
}

/* Runs a command that has to succeed; resolves to what it printed. */
async function done(site, line, input) {
    const { status, out, err } = await site.ctl(line.split(' '), input);
    assert.equal(status, 0, `${line}: ${err}`);
    return out;
}

/* One that cannot be done, in one line that says why. */
async function refused(site, line, message, input) {
    const { status, out, err } = await site.ctl(Array.isArray(line) ? line : line.split(' '), input);
    assert.equal(status, 1, `${line}: ${out}${err}`);
    assert.match(err, message);
    assert.match(err, /^dropstreamctl: [^\n]+\n$/);
}

const names = async (site) => (await done(site, 'user ls')).split('\n').slice(1, -1).map((line) => line.split(/ +/).slice(0, 2).join(' '));

describe('users', () => {
    let site;
    const test = (name, fn) => it(name, (t) => site.logged(fn)(t));
    before(async () => {
        site = await startSite({ env: { DROPSTREAM_AUTH: 'required' } });
    });
    after(() => site?.stop());

    test('the first one is an owner, the next a member, or what is said', async () => {
        assert.equal(await done(site, 'user ls'), `${'NAME'.padEnd(32)}  ROLE    SINCE\n`);
        await refused(site, 'user add ada --role viewer', /the first user has to be an owner/, PASSWORD);
        assert.equal(await done(site, 'user add Ada', `${PASSWORD}\n`), 'Ada is a user now: owner\n');
        assert.equal(await done(site, 'user add bob', `${PASSWORD}\nand more`), 'bob is a user now: member\n');
        await done(site, 'user add --role=viewer 4.c_d-', PASSWORD);
        assert.deepEqual(await names(site), ['4.c_d- viewer', 'Ada owner', 'bob member']);
        assert.match((await done(site, 'user ls')).split('\n')[2], new RegExp(`^Ada +owner +${ISO}$`));
    });
    test('a name is one, and nobody else has it', async () => {
        for (const name of ['ADA', 'Ada', 'ada']) await refused(site, `user add ${name}`, /there is a user Ada already/, PASSWORD);
        for (const name of ['', '.a', 'a b', 'ä', 'a'.repeat(33), '../x', 'a/b', '<b>'])
            await refused(site, ['user', 'add', name], /a name has 1 to 32 letters/, PASSWORD);
        await refused(site, ['user', 'add', '--', '-a'], /a name has 1 to 32 letters/, PASSWORD);
    });
    test('a password is long enough, and the first line of standard input', async () => {
        for (const password of ['', '\n', 'nine char', 'x'.repeat(257), 'tab\tinside it', 'nul\0inside it', '\xff\xfe broken utf-8'.repeat(2)])
            await refused(site, 'user add eve', /password/, Buffer.from(password, 'latin1'));
        assert.ok(!(await names(site)).some((name) => name.startsWith('eve')));
        await done(site, 'user add eve', 'x'.repeat(256));
        await done(site, 'user rm eve');
    });
    test('of a password only a yescrypt hash is kept', async () => {
        const hashes = (await sql(site, 'SELECT password FROM users')).split('\n');
        assert.equal(hashes.length, 3);
        assert.equal(new Set(hashes).size, 3, 'each has a salt of its own');
        for (const hash of hashes) assert.match(hash, /^\$y\$/);
        for (const name of await fs.readdir(site.path('db')))
            assert.ok(!(await fs.readFile(site.path('db', name), 'latin1')).includes(PASSWORD), name);
    });
    test('a new password ends the sessions and tokens of before', async () => {
        await done(site, 'token add bob --label x --scope read');
        await sql(site, "INSERT INTO sessions (hash, user_id, created_ms, used_ms, expires_ms, agent, address) SELECT randomblob(32), id, 0, 0, 9e15, 'Firefox', '192.0.2.1' FROM users WHERE name = 'bob'");
        const before = await sql(site, "SELECT password FROM users WHERE name = 'bob'");
        assert.match(await done(site, 'session ls bob'), /bob .* 192\.0\.2\.1 +Firefox\n$/);
        await done(site, 'user passwd BOB', 'another password');
        assert.notEqual(await sql(site, "SELECT password FROM users WHERE name = 'bob'"), before);
        assert.equal((await done(site, 'session ls bob')).split('\n').length, 2);
        assert.equal((await done(site, 'token ls bob')).split('\n').length, 2);
        await refused(site, 'user passwd nobody', /there is no user "nobody"/, PASSWORD);
    });
    test('the last owner stays one', async () => {
        await refused(site, 'user rm ada', /Ada is the last owner/);
        await refused(site, 'user role ada member', /Ada is the last owner/);
        assert.equal(await done(site, 'user role bob owner'), 'bob is owner now\n');
        await done(site, 'user role ada viewer');
        await refused(site, 'user role bob member', /bob is the last owner/);
        await refused(site, 'user role bob king', /owner, member or viewer/);
        await done(site, 'user role ada owner');
    });
    test('who is removed is gone, and so is what they could watch, at once', async () => {
        const { status, json } = await site.cgi('media.fcgi', { target: '/media/x' });
        assert.equal(status, 404, json);
        const id = 'abcdefgh234567ab';
        const [root, key, other] = ['r', 'k', 'o'].map((letter) => letter.repeat(26));
        await sql(site, `INSERT INTO videos (id, title, filename, container, state, size, media_root, created_ms) VALUES ('${id}', 't', 'f', 'mp4', 'ready', 1, '${root}', 0);
            INSERT INTO grants (key, video_id, user_id) SELECT iif(name = 'bob', '${key}', '${other}'), '${id}', id FROM users WHERE name IN ('bob', 'Ada')`);
        await fs.mkdir(site.path('htdocs/media', root));
        await fs.writeFile(site.path('htdocs/media', root, 'master.m3u8'), '#EXTM3U\n');
        for (const name of [key, other]) await fs.symlink(root, site.path('htdocs/media', name));
        assert.equal((await site.request('GET', `/media/${key}/master.m3u8`)).status, 200);
        assert.equal(await done(site, 'user rm bob'), 'bob is gone; videos and shares stay\n');
        assert.deepEqual((await fs.readdir(site.path('htdocs/media'))).sort(), [other, root]);
        assert.equal(await sql(site, 'SELECT group_concat(key) FROM grants'), other);
        await refused(site, 'user rm bob', /there is no user "bob"/);
        // lighttpd may know the link for a moment yet.
        await waitFor(async () => (await site.request('GET', `/media/${key}/master.m3u8`)).status === 404, { timeout: 3000 });
        assert.equal((await site.request('GET', `/media/${other}/master.m3u8`)).status, 200);
    });
});

describe('tokens and sessions', () => {
    const env = { DROPSTREAM_AUTH: 'required' };
    it('a token is shown once, listed without it, and removed by its number', withSite({ env }, async (site) => {
        await done(site, 'user add ada', PASSWORD);
        await done(site, 'user add bob', PASSWORD);
        const { out, err } = await site.ctl(['token', 'add', 'ada', '--label', 'the “backup” script', '--scope', 'upload', '--scope', 'read', '--expires', '90d']);
        assert.match(out, /^[a-z2-7]{52}\n$/);
        assert.equal(err, 'This is token 1 of ada; it is not shown again.\n');
        await done(site, 'token add bob --label b --scope admin');
        const lines = (await done(site, 'token ls')).split('\n');
        assert.match(lines[1], new RegExp(`^ +1 +ada +read upload +never +${ISO} +the “backup” script$`));
        assert.match(lines[2], /^ +2 +bob +admin +never +never +b$/);
        assert.ok(!lines.join('').includes(out.trim()));
        assert.equal((await done(site, 'token ls ada')).split('\n').length, 3);
        const days = (Date.parse(lines[1].match(new RegExp(ISO))[0]) - Date.now()) / 86_400_000;
        assert.ok(days > 89.9 && days < 90.1, `${days}`);
        for (const name of await fs.readdir(site.path('db')))
            assert.ok(!(await fs.readFile(site.path('db', name), 'latin1')).includes(out.trim()), name);
        await done(site, 'token rm 1');
        await refused(site, 'token rm 1', /there is no token 1/);
        await refused(site, 'token rm x', /"x": the number of a token/);
        await refused(site, 'token ls eve', /there is no user "eve"/);
        await refused(site, ['token', 'add', 'ada', '--label', 'a\nb', '--scope', 'read'], /a label must not/);
        await refused(site, ['token', 'add', 'ada', '--label', '  ', '--scope', 'read'], /a label must not be blank/);
        await refused(site, ['token', 'add', 'ada', '--label', 'x'.repeat(81), '--scope', 'read'], /at most 80 bytes/);
        assert.equal((await done(site, 'token ls ada')).split('\n').length, 2);
    }));

    it('a session is ended by its number', withSite({ env }, async (site) => {
        await done(site, 'user add ada', PASSWORD);
        await sql(site, "INSERT INTO sessions (hash, user_id, created_ms, used_ms, expires_ms, agent, address) SELECT randomblob(32), id, 0, 0, 9e15, 'Firefox', '2001:db8::1' FROM users, (VALUES (1), (2))");
        assert.equal((await done(site, 'session ls')).split('\n').length, 4);
        await done(site, 'session rm 2');
        assert.match(await done(site, 'session ls ada'), /^[^\n]+\n +1 +ada [^\n]+2001:db8::1[^\n]+\n$/);
        await refused(site, 'session rm 2', /there is no session 2/);
    }));
});

describe('setup-link', () => {
    const env = { DROPSTREAM_AUTH: 'required' };
    const hash = (site) => sql(site, "SELECT hex(secret) FROM site_secrets WHERE name = 'setup'");
    it('is one at a time, and none once there is a user', withSite({ env }, async (site) => {
        const link = new RegExp(`^http://127\\.0\\.0\\.1:${site.port}/login#setup=([a-z2-7]{52})\n$`);
        const [, first] = (await done(site, 'setup-link')).match(link);
        const before = await hash(site);
        const [, second] = (await done(site, 'setup-link --if-needed --url https://video.example/')).match(/^https:\/\/video\.example\/login#setup=([a-z2-7]{52})\n$/);
        assert.notEqual(first, second);
        assert.notEqual(await hash(site), before);
        assert.equal((await hash(site)).length, 64);
        await done(site, 'user add ada', PASSWORD);
        await refused(site, 'setup-link', /the site has its first user already/);
        assert.equal(await done(site, 'setup-link --if-needed'), '');
    }));
    it('is not for a site where nobody signs in', withSite({}, async (site) => {
        await refused(site, 'setup-link', /nobody signs in here: auth = none/);
        assert.equal(await done(site, 'setup-link --if-needed'), '');
    }));
});

describe('the command line', () => {
    it('what is not understood is status 2, with the usage', withSite({}, async (site) => {
        for (const line of [
            '', 'user', 'user frob', 'frob', 'user add', 'user add a b', 'user ls a', 'user ls --role owner', 'user add a --role king',
            'user add a --frob', 'token add a', 'token add a --label x', 'token add a --scope read', 'token add a --label x --scope all',
            'token add a --label x --scope read --expires 0', 'token add a --label x --scope read --expires 59', 'token rm',
            'token add a --label x --scope read --expires 9y', 'token add a --label x --scope read --expires 3651d', 'session rm',
            'token add a --label x --scope read --expires 99999999999999999999', '--frob user ls', 'setup-link x', '--site',
        ]) {
            const { status, out, err } = await site.ctl(line.split(' ').filter(Boolean), PASSWORD);
            assert.equal(status, 2, `${line}: ${err}`);
            assert.match(err, /usage: dropstreamctl|--(role|scope|expires) /, line);
            assert.equal(out, '');
        }
        const help = await site.ctl(['--help']);
        assert.equal(help.status, 0);
        for (const line of ['user add', 'user passwd', 'user rm', 'user ls', 'token add', 'token ls', 'token rm', 'session ls', 'session rm', 'setup-link', '--site'])
            assert.ok(help.out.includes(line), line);
    }));
    it('a site that is none, or whose settings are wrong, is told', withSite({}, async (site) => {
        await refused(site, '--site /nonexistent user ls', /no site here: give --site DIR/);
        await fs.writeFile(site.path('etc/dropstream.conf'), '[web]\nprot = 1\n');
        await refused(site, 'user ls', /dropstream\.conf:2: unknown key "prot"/);
    }));
    it('root leaves no files of its own in a site', { skip: process.getuid() !== 0 && 'for root alone' }, async () => {
        const dir = await fs.mkdtemp('/tmp/dropstream-ctl-');
        try {
            const site = await startSite({});
            await site.end('lighttpd');
            await fs.cp(site.dir, path.join(dir, 'site'), { recursive: true, filter: (name) => !/\.db|\.sock|run\//.test(name) });
            await site.stop();
            spawnSync('chown', ['-R', '65534:65534', dir]);
            const ctl = (args, input) => spawnSync(path.join(dir, 'site/bin/dropstreamctl'), args, { input, encoding: 'utf8' });
            const add = ctl(['user', 'add', 'ada'], PASSWORD);
            assert.equal(add.status, 0, add.stderr);
            const made = await fs.readdir(path.join(dir, 'site/db'));
            assert.ok(made.includes('dropstream.db'));
            for (const name of made) assert.equal((await fs.stat(path.join(dir, 'site/db', name))).uid, 65534, name);
        } finally {
            await fs.rm(dir, { recursive: true });
        }
    });
});

/* On a terminal that util-linux's script makes. Types each line once `say` has been seen. */
async function onTerminal(site, command, talk) {
    const env = { ...site.env, SHELL: '/bin/sh' };
    const child = spawn('script', ['-qec', command, '/dev/null'], { env });
    let seen = '';
    child.stdout.on('data', (data) => (seen += data));
    const ended = new Promise((resolve) => child.on('exit', resolve));
    let from = 0;
    for (const [say, type] of talk) {
        await waitFor(() => seen.indexOf(say, from) >= 0, { what: `"${say}" in "${seen}"` });
        from = seen.indexOf(say, from) + say.length;
        child.stdin.write(type);
    }
    const status = await ended;
    return { status, seen };
}

describe('on a terminal', () => {
    const env = { DROPSTREAM_AUTH: 'required' };
    const ctl = (site, line) => `'${site.path('bin/dropstreamctl')}' ${line}`;

    it('a password is asked for twice, and not shown', withSite({ env }, async (site) => {
        const { status, seen } = await onTerminal(site, ctl(site, 'user add ada'), [
            ['New password for ada: ', `${PASSWORD}\n`],
            ['The same again: ', `${PASSWORD}\n`],
        ]);
        assert.equal(status, 0, seen);
        assert.match(seen, /ada is a user now: owner/);
        assert.ok(!seen.includes(PASSWORD), seen);
        const twice = await onTerminal(site, ctl(site, 'user add bob'), [
            ['New password for bob: ', `${PASSWORD}\n`],
            ['The same again: ', 'something else\n'],
        ]);
        assert.equal(twice.status, 1);
        assert.match(twice.seen, /the two are not the same/);
        assert.deepEqual(await names(site), ['ada owner']);
    }));

    it('it shows what is typed again, also after Ctrl-C', withSite({ env }, async (site) => {
        const line = `trap : INT; ${ctl(site, 'user add ada')}; stty -a`;
        const { seen } = await onTerminal(site, line, [['New password for ada: ', '\x03']]);
        assert.match(seen, / echo /, seen);
        const fine = `${ctl(site, 'user add ada')}; stty -a`;
        const after = await onTerminal(site, fine, [['New password for ada: ', 'short\n'], ['The same again: ', 'short\n']]);
        assert.match(after.seen, /a password has 10 to 256 bytes/);
        assert.match(after.seen, / echo /);
    }));
});
