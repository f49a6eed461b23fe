/*
 * line.mjs: a bad network. A TCP proxy on 127.0.0.1 between a client and a site, which can
 * be slow, break, and be away for a while.
 *
 *     const line = await startLine(site.port, { bytesPerSecond: 4e6 });
 *     await page.goto(line.url);
 *     await line.cut(2000); // all connections break, and for 2 s nobody answers
 *     console.log(line.bytes); // that went up to the site
 *     await line.close();
 */
import net from 'node:net';

import { freePort, sleep } from './site.mjs';

export async function startLine(target, options) {
    const line = new Line(target, await freePort(), options);
    await line.mend();
    return line;
}

class Line {
    #target;
    #sockets = new Set();
    #server;
    #closed = false;

    /* bytesPerSecond: of each connection on its way up. */
    constructor(target, port, { bytesPerSecond = Number.POSITIVE_INFINITY } = {}) {
        this.#target = target;
        this.port = port;
        this.url = `http://127.0.0.1:${port}`;
        this.bytesPerSecond = bytesPerSecond;
        this.bytes = 0;
    }

    /* Answers again. */
    mend() {
        this.#server = net.createServer((client) => this.#connect(client));
        return new Promise((resolve, reject) => {
            this.#server.once('error', reject);
            this.#server.listen(this.port, '127.0.0.1', resolve);
        });
    }

    /* Breaks every connection and refuses new ones. */
    break() {
        const closed = new Promise((resolve) => this.#server.close(resolve));
        for (const socket of this.#sockets) socket.destroy();
        return closed;
    }

    async cut(ms) {
        await this.break();
        await sleep(ms);
        if (!this.#closed) await this.mend();
    }

    close() {
        this.#closed = true;
        return this.break();
    }

    #connect(client) {
        const site = net.connect(this.#target, '127.0.0.1');
        for (const [socket, other] of [[client, site], [site, client]]) {
            this.#sockets.add(socket);
            socket.on('error', () => {}); // it is closed, and so is the other
            socket.on('close', () => {
                this.#sockets.delete(socket);
                other.destroy();
            });
        }
        site.pipe(client);
        client.on('data', (data) => this.#up(client, site, data));
    }

    async #up(client, site, data) {
        this.bytes += data.length;
        client.pause();
        if (!site.write(data)) await new Promise((resolve) => site.once('drain', resolve).once('close', resolve));
        await sleep((1000 * data.length) / this.bytesPerSecond);
        client.resume();
    }
}
