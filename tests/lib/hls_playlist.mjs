/*
 * hls_playlist.mjs: the texts of HLS playlists, read as strictly as RFC 8216 writes them,
 * for hls_validator.mjs. What is wrong goes to complain(sentence); reading goes on.
 */

/* How the values of attributes are written (s. 4.2). */
const FORMS = {
    integer: /^(0|[1-9]\d{0,19})$/,
    float: /^\d+(\.\d+)?$/,
    signed: /^-?\d+(\.\d+)?$/,
    resolution: /^[1-9]\d*x[1-9]\d*$/,
    quoted: /^"[^"\r\n]*"$/,
    enumerated: /^[^",\s]+$/,
    yesno: /^(YES|NO)$/,
};

/* tag → its attributes and how they are written; those with a ! have to be there. */
const ATTRIBUTES = {
    'EXT-X-MAP': { 'URI!': 'quoted', BYTERANGE: 'quoted' },
    'EXT-X-START': { 'TIME-OFFSET!': 'signed', PRECISE: 'yesno' },
    'EXT-X-MEDIA': {
        'TYPE!': 'enumerated', URI: 'quoted', 'GROUP-ID!': 'quoted', LANGUAGE: 'quoted',
        'ASSOC-LANGUAGE': 'quoted', 'NAME!': 'quoted', DEFAULT: 'yesno', AUTOSELECT: 'yesno',
        FORCED: 'yesno', 'INSTREAM-ID': 'quoted', CHARACTERISTICS: 'quoted', CHANNELS: 'quoted',
    },
    'EXT-X-STREAM-INF': {
        'BANDWIDTH!': 'integer', 'AVERAGE-BANDWIDTH': 'integer', CODECS: 'quoted',
        RESOLUTION: 'resolution', 'FRAME-RATE': 'float', 'HDCP-LEVEL': 'enumerated', 'VIDEO-RANGE': 'enumerated',
        AUDIO: 'quoted', VIDEO: 'quoted', SUBTITLES: 'quoted', 'CLOSED-CAPTIONS': null,
    },
};

/* tag → where it stands ('media', 'master', both), how often, and how its value is written.
 * before: it describes the whole playlist, and so precedes its first segment or variant. */
const TAGS = {
    EXTM3U: { in: 'both', once: true },
    'EXT-X-VERSION': { in: 'both', once: true, value: /^[1-9]\d*$/, before: true },
    'EXT-X-INDEPENDENT-SEGMENTS': { in: 'both', once: true },
    'EXT-X-START': { in: 'both', once: true },
    'EXT-X-TARGETDURATION': { in: 'media', once: true, value: /^[1-9]\d*$/, before: true },
    'EXT-X-MEDIA-SEQUENCE': { in: 'media', once: true, value: /^\d+$/, before: true },
    'EXT-X-PLAYLIST-TYPE': { in: 'media', once: true, value: /^(VOD|EVENT)$/, before: true },
    'EXT-X-ENDLIST': { in: 'media', once: true },
    'EXT-X-MAP': { in: 'media', once: true, before: true },
    EXTINF: { in: 'media', value: /^\d+(\.\d+)?,.*$/ },
    'EXT-X-MEDIA': { in: 'master' },
    'EXT-X-STREAM-INF': { in: 'master' },
};

/* Its attributes as { NAME: value }, quotes taken off. */
function readAttributes(tag, text, complain) {
    const known = ATTRIBUTES[tag];
    const found = {};
    let rest = text;
    while (rest !== '') {
        const [whole, name, value, comma] = /^([A-Z0-9-]+)=("[^"]*"|[^",\s]*)(,|$)/.exec(rest) ?? [];
        if (!whole || (comma && whole.length === rest.length)) {
            complain(`${tag}: no attribute list: ${rest}`);
            return found;
        }
        rest = rest.slice(whole.length);
        if (name in found) complain(`${tag}: ${name} twice`);
        const form = name in known ? known[name] : known[`${name}!`];
        if (form === undefined) complain(`${tag}: ${name} is not one of its attributes`);
        else if (form && !FORMS[form].test(value)) complain(`${tag}: ${name}=${value} is not written as ${form}`);
        found[name] = value.replace(/^"|"$/g, '');
    }
    for (const key of Object.keys(known))
        if (key.endsWith('!') && !(key.slice(0, -1) in found)) complain(`${tag}: without ${key.slice(0, -1)}`);
    return found;
}

/*
 * { is: 'master' or 'media', lines: [{ tag, value, attributes } or { uri }] }; comments and
 * empty lines left out. What is wrong with each line by itself, and with how often and where
 * it stands, is complained of.
 */
export function readPlaylist(text, complain) {
    if (text.startsWith('\ufeff')) complain('begins with a byte order mark');
    if (text.includes('\r')) complain('has carriage returns');
    if (!text.endsWith('\n')) complain('its last line has no end');
    const raw = text.split(/\r?\n/);
    if (raw[0] !== '#EXTM3U') complain('does not begin with #EXTM3U');
    const lines = [];
    for (const line of raw) {
        if (line === '' || (line.startsWith('#') && !line.startsWith('#EXT'))) continue;
        if (!line.startsWith('#')) {
            if (/\s/.test(line)) complain(`a URI with a space: ${line}`);
            lines.push({ uri: line });
            continue;
        }
        const [, tag, colon, value] = /^#([A-Z0-9-]+)(:?)(.*)$/.exec(line);
        lines.push({ tag, colon, value });
    }
    const is = lines.some(({ tag }) => TAGS[tag]?.in === 'master') ? 'master' : 'media';
    checkTags(lines, is, complain);
    return { is, lines };
}

function checkTags(lines, is, complain) {
    const seen = new Set();
    let begun = false; // the first segment, or variant
    for (const line of lines) {
        const { tag, colon, value } = line;
        if (line.uri || tag === 'EXTINF' || tag === 'EXT-X-STREAM-INF') begun = true;
        if (line.uri) continue;
        const rule = TAGS[tag];
        if (!rule) {
            complain(`${tag} is not a tag that is known here`);
            continue;
        }
        if (rule.in !== 'both' && rule.in !== is) complain(`${tag} in a ${is} playlist`);
        if (rule.once && seen.has(tag)) complain(`${tag} twice`);
        seen.add(tag);
        if (rule.before && begun) complain(`${tag} after the first segment`);
        const valued = rule.value ?? ATTRIBUTES[tag];
        if (Boolean(valued) !== (colon === ':') || (rule.value && !rule.value.test(value)))
            complain(`${tag}: ${value || 'nothing'} is not what it is written with`);
        if (ATTRIBUTES[tag]) line.attributes = readAttributes(tag, value, complain);
    }
}
