/*
 * watcher.mjs: an eye on folders of segments. Each must be whole from the moment at which it
 * can be opened, appear once, and stay the same file.
 *
 *     const watcher = new MediaWatcher([timeline.video.dir, timeline.audio.dir]);
 *     …
 *     const { files, complaints } = await watcher.stop();
 *     assert.deepEqual(complaints, []);
 */
import { promises as fs, readdirSync, watch } from 'node:fs';
import path from 'node:path';

import { boxes } from './media.mjs';
import { sleep } from './site.mjs';

const EVERY_MS = 250; // beside what inotify tells at once

export class MediaWatcher {
    #dirs;
    #ears; // inotify
    #known = new Map(); // path → inode, change time and size
    #moves = new Map(); // path → how often its name came or went
    #complaints = [];
    #looks = []; // at what came
    #stopped = false;
    #done;

    constructor(dirs) {
        this.#dirs = dirs;
        this.#ears = dirs.map((dir) => this.#listen(dir));
        this.#done = this.#loop();
    }

    /* { files, complaints }: how many segments were seen, and what was wrong. */
    async stop() {
        this.#stopped = true;
        await this.#done;
        await Promise.all(this.#looks);
        await this.#look({ again: true });
        for (const ear of this.#ears) ear.close();
        for (const [file, times] of this.#moves)
            if (times > 1) this.#complaints.push(`${file} came more than once, or went`);
        return { files: this.#known.size, complaints: this.#complaints };
    }

    async #loop() {
        while (!this.#stopped) {
            await this.#look({ again: false });
            await sleep(EVERY_MS);
        }
    }

    #listen(dir) {
        for (const name of readdirSync(dir)) this.#moves.set(path.join(dir, name), 1);
        const ear = watch(dir, (type, name) => {
            if (!isSegment(name)) return;
            const file = path.join(dir, name);
            if (type !== 'rename') return void this.#complaints.push(`${file} was written to in its place`);
            const times = (this.#moves.get(file) ?? 0) + 1;
            this.#moves.set(file, times);
            if (times === 1) this.#looks.push(this.#lookAt(file));
        });
        ear.on('error', (error) => this.#complaints.push(`${dir}: ${error.message}`));
        return ear;
    }

    /* again: at files that are known as well. */
    async #look({ again }) {
        for (const dir of this.#dirs)
            for (const name of (await fs.readdir(dir)).filter(isSegment)) {
                const file = path.join(dir, name);
                if (!again && this.#known.has(file)) continue;
                await this.#lookAt(file);
            }
    }

    async #lookAt(file) {
        await this.#compare(file).catch((error) => this.#complaints.push(`${file}: ${error.message}`));
    }

    async #compare(file) {
        const was = this.#known.get(file);
        const { ino, mtimeMs, size } = await fs.stat(file);
        const now = `${ino} ${mtimeMs} ${size}`;
        this.#known.set(file, now);
        if (was && was !== now) this.#complaints.push(`${file} has changed`);
        const wrong = whatIsWrong(await fs.readFile(file));
        if (wrong) this.#complaints.push(`${file} ${wrong}`);
    }
}

function whatIsWrong(bytes) {
    try {
        const types = boxes(bytes).map(({ type }) => type);
        if (types.includes('moof') && types.at(-1) === 'mdat') return undefined;
        return `was seen as ${types.join(' ') || 'nothing'}`;
    } catch (error) {
        return `was not whole: ${error.message}`;
    }
}

const isSegment = (name) => name.endsWith('.m4s');
