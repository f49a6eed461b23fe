// seeds_text.mjs: small texts for the fuzzers to begin with, by the name of their target.

import fs from 'node:fs';

const id = '0123456789abcdef0123456789abcdef';
const mp4 = '\0\0\0\x10ftypisom\0\0\0\0\0\0\0\x08moov';

const form = (boundary, ...parts) =>
    `multipart/form-data; boundary=${boundary}\n` +
    parts.map(([name, value, more = '']) => `--${boundary}\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n${value}\r\n`).join('') +
    `--${boundary}--\r\n`;
const file = ['file', mp4, '; filename="C:\\\\a %22b.mp4"\r\nContent-Type: video/mp4'];
const lookalikes = ['file', `${mp4}\r\n--X\r\n--\r\n\r\r\n--XA\n--XB`, '; filename=a.mp4'];

export const multipart = {
    file: form('XB', file),
    fields: form('----WebKitFormBoundaryAbCdEf', ['title', 'T'], ['size', '24'], ['upload_id', id], file),
    index: form('-', ['index_offset', '1000'], ['index', '\0\0\0\x08moov'], file, ['late', 'x']),
    lookalikes: form('XB', lookalikes).replace('--XB', 'for old readers\r\n--XB'),
    cut: form('XB', lookalikes).slice(0, -8),
    encoded: form('"X B"', ['file', 'AAAA', '\r\nContent-Transfer-Encoding: base64']).replaceAll('--"X B"', '--X B'),
};

export const upload_headers = Object.fromEntries(
    [
        `filename ZmlsZS5tcDQ=,title VGl0bGU=,upload_id ${Buffer.from(id).toString('base64')},is_confidential`,
        'sha1 Lve95gjOVATpfV8EL5X4nxwjKHE=',
        'md5 1B2M2Y8AsgTpgAmY7PhCfg==',
        'application/offset+octet-stream; charset=x',
        'multipart/form-data; x="a\\"b"; boundary="a\'()+_,-./:=? b"',
        'form-data; name="a"; filename="b.mp4"; filename*=UTF-8\'\'c',
        '9223372036854775807',
        'offset=12&label=a%20b%C3%BC+c&offset=x',
        '/media/0123456789abcdef0123456789abcdef/360p-1/12.m4s',
        '/media/0123456789abcdef0123456789abcdef/audio-0-2/init.mp4',
        'a=b; session="x.y-z"; session=2',
        '2001:db8:1:2:3::4',
        '::ffff:192.0.2.1',
        'https://site.example:443',
        '[::1]:8080',
        'zh-Hant-TW-2',
        '../C:\\folder\\Holiday.2024.mp4',
        '\u00fc\u202e\ud83c\udfac.mkv',
    ].map((text, i) => [`text${i}`, text]),
);

export const json_body = {
    all: '{"name": "a", "password": "\\u00fcx", "expires_in": 3600, "download": true}',
    nulls: '{"name": null, "password": null, "expires_in": null, "download": null}',
    wrong: '{"name": "much too long", "password": 1, "expires_in": 1e3, "download": "true"}',
    nul: '{"name": "a\\u0000b"}',
    twice: '{"name": "a", "name": "b"}',
    unknown: '{"nam": [[[{}]]]}',
    array: '[1, -0.5, 12345678901234567890]',
    deep: '['.repeat(300),
};

export const config = {
    shipped: fs.readFileSync(new URL('../../etc/dropstream.conf', import.meta.url), 'utf8').replace(/^#.*\n/gm, ''),
    access: '[web]\nbind = ::1\nport=81\n[access]\nauth = none\nmedia_cors = https://a.example http://b.example:81\nmedia_cors = *\ntrusted_proxies = 10.0.0.0/8 ::1\n',
    paths: '[web]\ntls_pem = /etc/x.pem\n[worker]\njail_read = /usr\nnice = 19 ; a comment\n',
    open: '[access]\nauth = none\n[web]\nbind = 0.0.0.0\n',
    twice: '\ufeff[web]\nport = 1\nport = 2\n',
    unknown: 'port = 1\n[nowhere]\nx = y\n[web]\nno sign\n',
    long: `[media]\nffmpeg = ${'a'.repeat(300)}\n`,
};

const stream = (more) => ({ index: 0, codec_name: 'h264', codec_type: 'video', width: 640, height: 360, ...more });
export const media_info = {
    usual: JSON.stringify({
        streams: [
            stream({ profile: 'High', pix_fmt: 'yuv420p', level: 30, sample_aspect_ratio: '4:3', r_frame_rate: '25/1', avg_frame_rate: '30000/1001', start_time: '0.080000', duration: 'N/A', has_b_frames: 2, field_order: 'tt', disposition: { default: 1 }, color_range: 'pc', color_space: 'bt709', side_data_list: [{ side_data_type: 'Display Matrix', rotation: -90 }] }),
            { index: 1, codec_name: 'aac', codec_type: 'audio', channels: 2, sample_rate: '48000', bit_rate: '128000', tags: { language: 'ger', title: 'Ton\u0000 \u00fc' } },
            { index: 2, codec_name: 'subrip', codec_type: 'subtitle', disposition: { forced: 1 }, tags: { language: 'und' } },
        ],
        format: { start_time: '-0.023000', duration: '12.400000' },
    }),
    odd: JSON.stringify({ streams: [stream({ width: -1, rotation: 1e9, side_data_list: [{}, { rotation: 1e300 }], disposition: { attached_pic: 1 } }), 5, null, []], format: {} }),
    packets: '0|0.080000|0.000000|0.040000|K_\n1|-0.023000|N/A|0.021333|KD\n0|1e12|0|999999|__\n64|1|1|1|K_\n0|nan|0|0|K_\n\n',
};
