/*
 * seek_load.mjs: fetches segments that exist as fast as lighttpd gives them, in a process
 * of its own so that what else its parent does costs it nothing. Started by fork with one
 * message { port, urls, seconds, connections }; answers { answers, seconds } and ends.
 *
 * Of the answers only the lengths are read, or this would be what is measured.
 */
import net from 'node:net';

const HEAD_MAX = 4096;
const READ_BYTES = 1 << 18;

/* Calls done() for each answer that has ended in a stream of bytes. */
function answerReader(done) {
    let head = '';
    let left = 0; // bytes of the body that are still to come
    return (data) => {
        for (let at = 0; at < data.length; ) {
            if (left > 0) {
                const n = Math.min(left, data.length - at);
                left -= n;
                at += n;
                if (left === 0) done();
                continue;
            }
            const before = head.length;
            head += data.toString('latin1', at, at + HEAD_MAX);
            const end = head.indexOf('\r\n\r\n');
            if (end < 0) {
                at += HEAD_MAX;
                continue;
            }
            if (!head.startsWith('HTTP/1.1 200 ')) throw new Error(head.slice(0, end));
            left = Number(/^content-length: (\d+)/im.exec(head)[1]);
            at += end + 4 - before;
            head = '';
        }
    };
}

function load({ port, urls, seconds, connections }) {
    let answers = 0;
    const begun = performance.now();
    for (let i = 0; i < connections; i++) {
        const ask = () => {
            const url = urls[Math.floor(Math.random() * urls.length)];
            socket.write(`GET ${url} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
        };
        const read = answerReader(() => {
            answers++;
            ask();
        });
        // One buffer for all that is read: an own one each time costs more than lighttpd.
        const buffer = Buffer.allocUnsafe(READ_BYTES);
        const callback = (n) => read(buffer.subarray(0, n)) ?? true;
        const socket = net.connect({ port, host: '127.0.0.1', onread: { buffer, callback } });
        socket.setNoDelay(true);
        socket.on('connect', ask);
    }
    setTimeout(() => {
        process.send({ answers, seconds: (performance.now() - begun) / 1000 });
        process.exit(0);
    }, seconds * 1000);
}

process.once('message', load);
