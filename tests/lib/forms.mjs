/* forms.mjs: the form by which a file is uploaded, as bytes; and the smallest file for it. */
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';

/*
 * The beginning of a file that the sniffer takes for an MP4: ftyp, and an mdat of the
 * rest. It has no pictures: enough for everything that needs no worker.
 */
export function tinyMp4(bytes = 20_000, fill = 0x5a) {
    const file = Buffer.alloc(Math.max(bytes, 40), fill);
    file.writeUInt32BE(24, 0);
    file.write('ftypisom', 4, 'latin1');
    file.writeUInt32BE(0x200, 12);
    file.write('isommp41', 16, 'latin1');
    file.writeUInt32BE(file.length - 24, 24);
    file.write('mdat', 28, 'latin1');
    return file;
}

/* The head and tail of a form around a file, and its Content-Type. Field values are text
 * or Buffers; a value of undefined leaves the field out. */
export function formAround(name, fields = {}, boundary = '----dropstream-test-7d1a') {
    const begin = (key, more) => `--${boundary}\r\nContent-Disposition: form-data; name="${key}"${more}\r\n\r\n`;
    const head = [];
    for (const [key, value] of Object.entries(fields))
        if (value !== undefined)
            head.push(begin(key, ''), Buffer.isBuffer(value) ? value : `${value}`, '\r\n');
    head.push(begin('file', `; filename="${name}"\r\nContent-Type: application/octet-stream`));
    return {
        head: Buffer.concat(head.map((part) => Buffer.from(part))),
        tail: Buffer.from(`\r\n--${boundary}--\r\n`),
        type: `multipart/form-data; boundary=${boundary}`,
    };
}

/* A form with its file. */
export const whole = (form, file) => Buffer.concat([form.head, file, form.tail]);

/* The upload of a form as the bytes that go over the wire. length: what it announces. */
export function wire(type, body, length = body.length) {
    const head =
        'POST /api/videos HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n' +
        `Content-Type: ${type}\r\nContent-Length: ${length}\r\n\r\n`;
    return Buffer.concat([Buffer.from(head), body]);
}

/* The form around the file at a path, as it is read. */
export function formStream(form, file) {
    return Readable.from(
        (async function* () {
            yield form.head;
            yield* createReadStream(file, { highWaterMark: 1 << 20 });
            yield form.tail;
        })(),
    );
}
