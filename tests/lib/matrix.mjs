/*
 * matrix.mjs: a table of small clips, each of a kind that telephones, cameras, televisions
 * and screen recorders make, and what has to come of each.
 *
 *     const clips = await makeMatrix(dir);   // [{ name, file, ...its line of the table }]
 *
 * The picture of all but the interlaced ones is four patches of colour with a disc in the
 * middle; for a tenth of a second from MARK_S on it is white, and the sound beeps. So what
 * comes out tells by itself whether it is upright, of square pixels, of the right colours
 * and in time.
 */
import { promises as fs } from 'node:fs';
import path from 'node:path';

import { ffmpeg } from './media.mjs';

export const MARK_S = 0.5;
const MARK_LONG_S = 0.1;
const LANES = 3;

/* What is where in the source, as R'G'B'. */
export const PATCHES = {
    topLeft: [200, 40, 40],
    topRight: [40, 160, 60],
    bottomLeft: [50, 80, 190],
    bottomRight: [210, 180, 60],
    disc: [235, 235, 235],
};
export const CORNERS = ['topLeft', 'topRight', 'bottomLeft', 'bottomRight'];
/* What is in each corner after a turn, clockwise. */
const TURNED = {
    90: ['bottomLeft', 'topLeft', 'bottomRight', 'topRight'],
    180: ['bottomRight', 'bottomLeft', 'topRight', 'topLeft'],
    270: ['topRight', 'bottomRight', 'topLeft', 'bottomLeft'],
};

// ---- how they are made -------------------------------------------------------------------

const X264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-qp', '10'];
const X265 = ['-c:v', 'libx265', '-preset', 'ultrafast', '-tag:v', 'hvc1'];
const VP9 = ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8', '-b:v', '2M'];

/* From R'G'B' to what is coded, by ffmpeg's scaler, at its best. */
const coded = (matrix, { range = 'tv', pixels = 'yuv420p' } = {}) =>
    `scale=out_color_matrix=${matrix}:out_range=${range}:flags=bilinear+accurate_rnd+full_chroma_int+full_chroma_inp,format=${pixels}`;
const tags = (matrix, primaries = matrix, transfer = matrix, range = 'tv') =>
    `setparams=range=${range}:color_primaries=${primaries}:color_trc=${transfer}:colorspace=${matrix}`;
const UNTAGGED = 'setparams=range=unknown:color_primaries=unknown:color_trc=unknown:colorspace=unknown';

/* Likewise by zimg, to other primaries and curves. Diffuse white is 203 cd/m² in HDR. */
const converted = (primaries, transfer, matrix, pixels = 'yuv420p10le') =>
    [
        'setparams=range=pc:color_primaries=bt709:color_trc=bt709:colorspace=gbr',
        'zscale=t=linear:npl=203,format=gbrpf32le',
        `zscale=p=${primaries}`,
        `zscale=t=${transfer}:m=${matrix}:r=tv:npl=203`,
        `format=${pixels}`,
    ].join(',');

const beep = (t = 't') => `sin(2000*PI*t)*between(${t},${MARK_S},${MARK_S + MARK_LONG_S})`;
/* A layout whose channels carry the beep at that level, each. */
const sound = (layout, levels, { rate = 48000, codec = ['-c:a', 'pcm_s16le'] } = {}) => ({
    source: `aevalsrc='${levels.map((level) => (level ? `${level}*${beep()}` : '0')).join('|')}':c=${layout}:s=${rate}`,
    codec,
});
const AAC = ['-c:a', 'aac', '-b:a', '320k'];
const STEREO = sound('stereo', [0.5, 0.5], { codec: AAC });

/* A bar that moves by 8 pixels each 1/50 s, woven into fields: as the input of an encoder, the
 * pictures of which then say that they are. */
const weave = (mode) =>
    `color=0x303030:s=320x240:r=50[a];color=white:s=40x240:r=50[b];[a][b]overlay=x='mod(n*8,280)',tinterlace=${mode},setsar=1`;

/* Turned clockwise by what the file says of it, not by its pictures. ffmpeg 5.1 writes the
 * matrix of the opposite turn. */
const turned = (degrees) => async (from, to) =>
    ffmpeg('-i', from, '-map', '0', '-c', 'copy', '-metadata:s:v', `rotate=${360 - degrees}`, to);

// ---- the table ---------------------------------------------------------------------------

/*
 * Of each: size: as coded; primaries: if they are not those of BT.709; sar, rate, seconds; filters: from R'G'B' on; video: its codec;
 * audio, or null; container; after: a second step. What has to come of it: shown: the size of
 * the 360p rendition; fps: its rate; corners: what is in them; near: by how much its colours
 * may be off (default 6), or toneMapped; tagged: the matrix it says; level: of the sound
 * in each ear while it beeps, in dB; combed: it was interlaced.
 */
const HD = { size: [1280, 720], shown: [640, 360] };
const SD = { size: [640, 480], shown: [480, 360] };

export const MATRIX = {
    // Colours: what is said of them, and what has to be guessed.
    'bt709': { ...HD, filters: [coded('bt709'), tags('bt709')], tagged: 'bt709' },
    'HD without tags': { ...HD, filters: [coded('bt709'), UNTAGGED], tagged: 'bt709', audio: null },
    'smpte170m': { ...SD, filters: [coded('smpte170m'), tags('smpte170m')], tagged: 'smpte170m' },
    'bt470bg': { size: [720, 576], sar: [16, 15], shown: [480, 360], filters: [coded('bt470'), tags('bt470bg', 'bt470bg', 'smpte170m')], tagged: 'bt470bg', primaries: 'bt470bg', audio: null },
    'SD without tags': { ...SD, filters: [coded('smpte170m'), UNTAGGED], tagged: 'smpte170m', audio: null },
    'SD tags in HD': { ...HD, filters: [coded('smpte170m'), tags('smpte170m')], tagged: 'smpte170m', audio: null },
    'HD tags in SD': { ...SD, filters: [coded('bt709'), tags('bt709')], tagged: 'bt709', audio: null },
    'full range': { ...HD, filters: [coded('bt709', { range: 'pc' }), tags('bt709', 'bt709', 'bt709', 'pc')], tagged: 'bt709', audio: null },
    'full range without tags, MJPEG': { ...SD, filters: [coded('smpte170m', { range: 'pc', pixels: 'yuvj420p' })], video: ['-c:v', 'mjpeg', '-q:v', '2'], container: 'mov', tagged: 'bt470bg', audio: sound('mono', [0.5], { rate: 8000 }), level: -6 },
    'RGB': { ...SD, filters: ['format=gbrp'], video: ['-c:v', 'libx264rgb', '-preset', 'ultrafast', '-qp', '4', '-pix_fmt', 'bgr24'], container: 'mkv', tagged: 'bt709', audio: null },
    'VP9 in RGB': { ...SD, filters: ['format=gbrp'], video: [...VP9, '-profile:v', '1', '-crf', '10'], container: 'webm', tagged: 'bt709', audio: null },
    'grey': { ...SD, filters: [coded('bt709', { pixels: 'gray' }), 'setparams=range=tv'], grey: true, audio: null, container: 'mkv' },
    'DCI-P3': { ...HD, filters: [converted('smpte432', 'bt709', 'bt709', 'yuv420p'), tags('bt709', 'smpte432', 'bt709')], tagged: 'bt709', audio: null },
    'BT.2020 without HDR': { ...HD, filters: [converted('2020', '2020_10', '2020_ncl'), tags('bt2020nc', 'bt2020', 'bt2020-10')], tagged: 'bt709', near: 8, audio: null },
    'HDR10': {
        ...HD, filters: [converted('2020', 'smpte2084', '2020_ncl'), tags('bt2020nc', 'bt2020', 'smpte2084')], toneMapped: true, tagged: 'bt709',
        video: [...X265, '-x265-params', 'log-level=none:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:hdr10=1:master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1):max-cll=1000,400'],
    },
    'HLG': { ...HD, filters: [converted('2020', 'arib-std-b67', '2020_ncl'), tags('bt2020nc', 'bt2020', 'arib-std-b67')], toneMapped: true, tagged: 'bt709', audio: null },
    'HLG in VP9': { ...HD, filters: [converted('2020', 'arib-std-b67', '2020_ncl'), tags('bt2020nc', 'bt2020', 'arib-std-b67')], video: [...VP9, '-profile:v', '2'], container: 'webm', toneMapped: true, tagged: 'bt709', audio: null },
    'HDR10 of a telephone, upright': { size: [1280, 720], shown: [360, 640], filters: [converted('2020', 'smpte2084', '2020_ncl'), tags('bt2020nc', 'bt2020', 'smpte2084')], after: turned(90), corners: TURNED[90], toneMapped: true, tagged: 'bt709', audio: null },

    // Geometry.
    'turned by 90': { size: [640, 360], shown: [360, 640], after: turned(90), corners: TURNED[90] },
    'turned by 180': { size: [640, 360], shown: [640, 360], after: turned(180), corners: TURNED[180], audio: null },
    'turned by 270': { size: [640, 360], shown: [360, 640], after: turned(270), corners: TURNED[270], audio: null },
    'wide PAL': { size: [720, 576], sar: [64, 45], shown: [640, 360], audio: null },
    'HDV': { size: [1440, 1080], sar: [4, 3], shown: [640, 360], audio: null },
    'wide pixels, turned': { size: [640, 480], sar: [4, 3], shown: [360, 640], after: turned(90), corners: TURNED[90], audio: null },
    'an odd size': { size: [321, 181], shown: [322, 182], filters: [coded('smpte170m', { pixels: 'yuv444p' }), UNTAGGED], container: 'mkv', audio: null },
    'tiny': { size: [16, 16], shown: [16, 16], near: 30, round: false },
    'very tall': { size: [180, 1600], shown: [180, 1600], audio: null },
    '4K': { size: [3840, 2160], shown: [640, 360], rate: 10, audio: null },
    '8K': { size: [7680, 4320], shown: [640, 360], rate: 5, fps: 5, marked: false, audio: null },

    // Depths and samplings.
    '10 bits': { size: [640, 360], shown: [640, 360], filters: [coded('bt709', { pixels: 'yuv420p10le' }), tags('bt709')], audio: null },
    '4:2:2 in 10 bits, ProRes': { size: [640, 360], shown: [640, 360], filters: [coded('bt709', { pixels: 'yuv422p10le' }), tags('bt709')], video: ['-c:v', 'prores_ks', '-profile:v', '1'], container: 'mov', audio: sound('stereo', [0.5, 0.5]) },
    '4:4:4': { size: [640, 360], shown: [640, 360], filters: [coded('bt709', { pixels: 'yuv444p' }), tags('bt709')], audio: null },
    'HEVC, 12 bits, 4:4:4': { size: [320, 180], shown: [320, 180], filters: [coded('bt709', { pixels: 'yuv444p12le' }), tags('bt709')], video: [...X265, '-x265-params', 'log-level=none'], audio: null },
    'AV1': { size: [320, 180], shown: [320, 180], filters: [coded('bt709'), tags('bt709')], video: ['-c:v', 'libsvtav1', '-preset', '12', '-crf', '20'], container: 'mkv', audio: sound('stereo', [0.5, 0.5], { codec: ['-c:a', 'libopus', '-b:a', '256k'] }) },

    // Fields.
    'H.264, upper field first': { woven: 'interleave_top', video: [...X264, '-flags', '+ilme+ildct'] },
    'H.264, lower field first': { woven: 'interleave_bottom', video: [...X264, '-flags', '+ilme+ildct', '-x264-params', 'bff=1'] },
    'MPEG-2': { woven: 'interleave_top', video: ['-c:v', 'mpeg2video', '-flags', '+ilme+ildct', '-q:v', '2'], container: 'mkv' },
    'MPEG-4, which tells of fields only in its pictures': { woven: 'interleave_top', video: ['-c:v', 'mpeg4', '-flags', '+ilme+ildct', '-q:v', '2'] },
    'MPEG-2 whose header calls it progressive': { woven: 'interleave_top,setfield=prog', video: ['-c:v', 'mpeg2video', '-flags', '+ilme+ildct', '-q:v', '2'], container: 'mkv' },
    'ProRes with fields': { woven: 'interleave_top', video: ['-c:v', 'prores_ks', '-flags', '+ilme+ildct'], container: 'mov' },

    // Rates.
    '48 frames a second': { size: [320, 180], shown: [320, 180], rate: 48, fps: 24 },
    '120 frames a second': { size: [320, 180], shown: [320, 180], rate: 120, fps: 30 },
    'a telephone in the dark: now 30, now 20 frames a second': { size: [320, 180], shown: [320, 180], rate: 60, seconds: 2, fps: null, filters: [coded('bt709'), tags('bt709'), "select='if(lt(t,0.9),not(mod(n,2)),not(mod(n,3)))'"], vary: true },
    'a slide each second': { size: [320, 180], shown: [320, 180], rate: 10, seconds: 3, fps: null, filters: [coded('bt709'), tags('bt709'), "select='eq(n,0)+eq(n,5)+eq(n,6)+eq(n,15)+eq(n,29)'"], vary: true },
    'a screen recording: one keyframe in 11 s': { size: [640, 360], shown: [640, 360], rate: 6, seconds: 11, fps: 6, video: [...X264, '-g', '600'] },
    'one picture': { size: [320, 180], shown: [320, 180], rate: 25, seconds: 0.04, audio: null, marked: false },

    // Sound.
    'mono, 44.1 kHz': { size: [64, 64], audio: sound('mono', [0.5], { rate: 44100, codec: ['-c:a', 'aac', '-b:a', '128k'] }), level: -6 },
    'left only': { size: [64, 64], audio: sound('stereo', [0.5, 0], { codec: AAC }), level: [-6, null] },
    '96 kHz in 24 bits': { size: [64, 64], container: 'mov', audio: sound('stereo', [0.5, 0.5], { rate: 96000, codec: ['-c:a', 'pcm_s24le'] }), level: -6 },
    '5.1, the centre': { size: [64, 64], audio: sound('5.1', [0, 0, 0.25, 0, 0, 0], { codec: ['-c:a', 'aac', '-b:a', '384k'] }), level: -12 },
    '5.1, the centre, AC-3': { size: [64, 64], container: 'mkv', audio: sound('5.1', [0, 0, 0.25, 0, 0, 0], { codec: ['-c:a', 'ac3', '-b:a', '448k'] }), level: -12 },
    '5.1, the right surround': { size: [64, 64], audio: sound('5.1', [0, 0, 0, 0, 0, 0.25]), container: 'mov', level: [null, -15] },
    '5.1, everything as loud as can be': { size: [64, 64], audio: sound('5.1', [1, 1, 1, 0, 1, 1], { codec: ['-c:a', 'flac'] }), container: 'mkv', level: 0 },
    'loud stereo': { size: [64, 64], audio: sound('stereo', [0.98, 0.98], { codec: AAC }), level: -0.2 },
};

const defaults = (name, line) => {
    const size = line.woven ? [320, 240] : line.size;
    const rate = line.woven ? 25 : line.rate ?? 25;
    return {
        name, rate, seconds: 1, sar: [1, 1], container: 'mp4', near: 6, corners: CORNERS, round: true, marked: true,
        video: [...X264, '-g', '25'], shown: size, fps: typeof rate === 'number' ? rate : undefined,
        filters: [coded('smpte170m'), tags('smpte170m')],
        ...line, size, audio: line.audio === undefined ? STEREO : line.audio,
    };
};

// ---- making them -------------------------------------------------------------------------

/* The picture as a PPM. Large ones are drawn small: ffmpeg makes them large again. */
function draw(size, sar) {
    const step = Math.max(1, Math.floor(Math.min(...size) / 1000));
    const [w, h] = size.map((side) => Math.ceil(side / step));
    const wide = sar[0] / sar[1]; // of a pixel
    const radius = 0.3 * Math.min(w * wide, h);
    const rgb = Buffer.alloc(w * h * 3);
    for (let y = 0; y < h; y++)
        for (let x = 0; x < w; x++) {
            const inside = Math.hypot((x + 0.5 - w / 2) * wide, y + 0.5 - h / 2) < radius;
            const corner = CORNERS[(y >= h / 2 ? 2 : 0) + (x >= w / 2 ? 1 : 0)];
            rgb.set(PATCHES[inside ? 'disc' : corner], (y * w + x) * 3);
        }
    return Buffer.concat([Buffer.from(`P6\n${w} ${h}\n255\n`), rgb]);
}

const drawn = new Map();
function drawing(size, sar) {
    const key = `${size} ${sar}`;
    if (!drawn.has(key)) drawn.set(key, draw(size, sar));
    return drawn.get(key);
}

/* Its picture changes each tenth of a second at most: so often the filters, some of which take
 * long, see one of a clip of a usual rate. */
function pictureOf({ woven, size, sar, filters, rate, seconds }) {
    if (woven) return { input: ['-filter_complex', weave(woven)] };
    const [w, h] = size;
    const repeated = rate === 25 && seconds === 1;
    const white = `lutrgb=r=255:g=255:b=255:enable='between(t,${MARK_S - 0.001},${MARK_S + MARK_LONG_S - 0.001})'`;
    const chain = ['format=gbrp', `scale=${w}:${h}:flags=neighbor`, white, ...filters, `setsar=${sar.join('/')}`];
    return { rate: repeated ? 10 : rate, chain: [...chain, ...(repeated ? [`fps=${rate}`] : [])].join(',') };
}

async function makeOne(dir, clip, number) {
    const base = path.join(dir, `${number}`);
    const file = `${base}.${clip.container}`;
    const made = clip.after ? `${base}-first.${clip.container}` : file;
    const picture = pictureOf(clip);
    const input = picture.input ?? ['-loop', '1', '-framerate', picture.rate, '-t', clip.seconds, '-i', `${base}.ppm`];
    if (!clip.woven) await fs.writeFile(`${base}.ppm`, drawing(clip.size, clip.sar));
    await ffmpeg(
        clip.audio ? ['-f', 'lavfi', '-i', clip.audio.source] : [],
        input,
        clip.woven ? [] : ['-vf', picture.chain],
        clip.vary ? ['-fps_mode', 'passthrough'] : [],
        ['-t', clip.seconds],
        clip.video,
        clip.audio?.codec ?? [],
        ['-strict', '-2', made],
    );
    await fs.rm(`${base}.ppm`, { force: true });
    if (clip.after) {
        await clip.after(made, file);
        await fs.rm(made);
    }
    return { ...clip, file };
}

/* Makes all of them in a folder, a few at a time, those that take longest first. */
export async function makeMatrix(dir, wanted = () => true) {
    const clips = Object.entries(MATRIX).map(([name, line]) => defaults(name, line)).filter(wanted);
    const weight = ({ size: [w, h], rate, seconds }) => w * h * seconds * (Number.parseFloat(rate) || 25);
    const queue = clips.map((clip, i) => ({ clip, i })).sort((a, b) => weight(b.clip) - weight(a.clip));
    const made = [];
    await Promise.all(
        Array.from({ length: LANES }, async () => {
            for (let next = queue.shift(); next; next = queue.shift())
                made[next.i] = await makeOne(dir, next.clip, next.i);
        }),
    );
    return made;
}
