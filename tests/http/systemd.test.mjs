/*
 * The service units under a real systemd: what README says of them is done, word by word, and
 * a video is made by a worker that is locked in as they say. systemd runs in namespaces of its
 * own, on a copy of this machine (tests/systemd/boot.sh).
 */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, promises as fs, readFileSync, readdirSync, rmdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

import { cardClip, tempDir } from '../lib/media.mjs';
import { BUILD, freePort, Site, SOURCE, waitFor } from '../lib/site.mjs';
import { WATCHED } from '../lib/under.mjs';

const built = path.relative(SOURCE, BUILD);
const CONF = '/var/lib/dropstream/etc/dropstream.conf';

function lacking() {
    if (process.getuid() !== 0) return 'for root alone';
    if (WATCHED) return 'what watches programs is not within reach of the units';
    if (!existsSync('/lib/systemd/systemd')) return 'systemd is not installed';
    if (built.startsWith('..') || (statSync(SOURCE).mode & 5) !== 5) return 'other users cannot read what was built';
    try {
        execFileSync('unshare', ['--pid', '--fork', '--mount', '--cgroup', 'sh', '-c',
            'mount --make-rprivate / && mount -t tmpfs t /mnt && mkdir /mnt/u /mnt/w /mnt/r /mnt/c && mount -t overlay -o lowerdir=/,upperdir=/mnt/u,workdir=/mnt/w o /mnt/r && mount -t cgroup2 c /mnt/c'], { stdio: 'pipe' });
    } catch (error) {
        return `there are no namespaces to boot it in: ${error.stderr}`;
    }
    return false;
}

/* The lines that README has people type for the units, but for what makes the programs. */
function typed() {
    const text = readFileSync(path.join(SOURCE, 'README.md'), 'utf8');
    const block = /^\*\*As services\.\*\*[\s\S]*?\n\n((?: {4}.*\n)+)/m.exec(text)[1];
    const lines = block.trimEnd().split('\n').map((line) => line.trim().replace('make all ui && ', '').replace(' build ', ` ${built} `));
    const end = lines.findIndex((line) => line.includes('install.sh')) + 1;
    assert.ok(end > 0);
    return [lines.slice(0, end), lines.slice(end)];
}

const SCRIPT = (port) => {
    const [layOut, start] = typed();
    const setting = (key, value) => `grep -q '^#*${key} =' ${CONF} && sed -i 's/^#*${key} =.*/${key} = ${value}/' ${CONF}`;
    const wait = (name) => `until [ -e /srv/shared/${name} ]; do sleep 0.1; done`;
    return [
        'userdel dropstream; rm -rf /var/lib/dropstream',
        'set -ex',
        'cd /srv/dropstream',
        ...layOut,
        setting('port', port), setting('disk_reserve_mb', '16'),
        ...start,
        setting('auth', 'none'), setting('jail', 'required'),
        'systemctl restart dropstream-web dropstream-worker',
        'touch /srv/shared/started',
        wait('kill'),
        'systemctl kill --signal=KILL --kill-who=main dropstream-worker',
        wait('end'),
        'echo "restarts: $(systemctl show dropstream-worker --property=NRestarts --value)"',
        'runuser -u dropstream -- /var/lib/dropstream/bin/dropstreamctl check',
        'systemctl stop dropstream-web dropstream-worker',
        'systemctl show dropstream-web dropstream-worker --property=Result --value',
        'echo "left: $(pgrep -u dropstream -a || true)"',
        'journalctl --no-pager -o cat -u dropstream-worker',
        'echo all of it was done',
    ].join('\n');
};

/* The folders in this process's part of the second kind of control groups. */
const groups = () => {
    const mount = /^\S+ \S+ \S+ (\/\S*) (\S+) .* - cgroup2 /m.exec(readFileSync('/proc/self/mountinfo', 'utf8'));
    const own = /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'));
    if (!mount || !own) return [];
    const dir = path.join(mount[2], path.relative(mount[1], own[1]));
    return readdirSync(dir, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => path.join(dir, name));
};
function removeGroup(dir) {
    for (const entry of readdirSync(dir, { withFileTypes: true })) if (entry.isDirectory()) removeGroup(path.join(dir, entry.name));
    rmdirSync(dir);
}

const skip = lacking();

test('the units do as README says', { skip }, async (t) => {
    const temp = await tempDir();
    const site = new Site('/var/lib/dropstream', await freePort(), {});
    const shared = (name) => path.join(temp.dir, name);
    const said = () => fs.readFile(shared('said'), 'utf8').catch(() => '');
    const before = groups();
    await fs.chmod(temp.dir, 0o755);
    await cardClip(shared('clip.mp4'), 5);
    await fs.writeFile(shared('script'), SCRIPT(site.port));
    const flags = ['--pid', '--fork', '--kill-child', '--mount', '--uts', '--ipc', '--cgroup'];
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', 'unshare', ...flags, path.join(SOURCE, 'tests/systemd/boot.sh'), SOURCE, temp.dir], { stdio: ['ignore', 'pipe', 'pipe'] });
    const gone = new Promise((resolve) => child.on('exit', resolve));
    let console = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (console += data));
    try {
        await waitFor(() => existsSync(shared('started')), { timeout: 120_000, what: 'the units to start' });
        await waitFor(async () => (await site.api('GET', '/api/health')).json.worker.alive, { what: 'the worker' });
        assert.deepEqual((await site.api('GET', '/api/health')).json.jail, { complete: true, lacks: '' });
        const { status, json, text } = await site.upload(shared('clip.mp4'));
        assert.equal(status, 201, text);
        await site.waitForState(json.id, 'ready');
        await fs.writeFile(shared('kill'), '');
        await waitFor(async () => !(await site.api('GET', '/api/health')).json.worker.alive, { every: 20, what: 'the worker to be gone' });
        await waitFor(async () => (await site.api('GET', '/api/health')).json.worker.alive, { what: 'the worker to be back' });
        await fs.writeFile(shared('end'), '');
        await waitFor(async () => (await said()).includes('all of it was done\n'), { what: 'the units to end' });
        const all = await said();
        assert.match(all, /^http:\/\/127\.0\.0\.1:\d+\/login#setup=/m);
        assert.match(all, /^restarts: 1$/m);
        assert.match(all, /^1 videos, \d+ files: 0 findings$/m);
        assert.match(all, /^success\n+success$/m);
        assert.match(all, /^left: $/m);
        assert.doesNotMatch(all, / (?:error|warn): /);
    } catch (error) {
        t.diagnostic(`${console}\n${await said()}`);
        throw error;
    } finally {
        child.kill('SIGKILL');
        await gone;
        await waitFor(() => {
            for (const dir of groups()) if (!before.includes(dir)) removeGroup(dir);
            return true;
        }, { what: 'its groups to be empty' });
        await temp.remove();
    }
});
