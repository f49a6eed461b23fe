/*
 * cgi.mjs: a program of cgi-bin as plain CGI (RFC 3875), and what is answered to a request.
 */
import { spawn } from 'node:child_process';

/* What an answer is to a test: { status, headers, body, text, json }. Segments are many, and
 * nobody reads them as text. */
export function answerOf({ statusCode, headers }, body) {
    const isJson = headers['content-type'] === 'application/json';
    const json = isJson && body.length ? JSON.parse(body) : undefined;
    let text;
    return {
        status: statusCode,
        headers,
        body,
        get text() {
            return (text ??= body.toString('utf8'));
        },
        json,
    };
}

/* The environment that says what a request is. */
export function cgiVariables({ method = 'GET', target = '/', headers = {}, body = '' }) {
    const [script, query = ''] = target.split('?');
    const env = { REQUEST_METHOD: method, REQUEST_URI: target, SCRIPT_NAME: script, QUERY_STRING: query };
    Object.assign(env, { GATEWAY_INTERFACE: 'CGI/1.1', SERVER_PROTOCOL: 'HTTP/1.1' });
    if (body.length) env.CONTENT_LENGTH = String(Buffer.byteLength(body));
    for (const [name, value] of Object.entries(headers)) {
        const key = name.toUpperCase().replaceAll('-', '_');
        env[/^CONTENT_(TYPE|LENGTH)$/.test(key) ? key : `HTTP_${key}`] = String(value);
    }
    return env;
}

function answerIn(output) {
    const end = output.indexOf('\r\n\r\n');
    if (end < 0) throw new Error(`no end of headers in ${output}`);
    const headers = {};
    for (const line of output.toString('latin1', 0, end).split('\r\n')) {
        const colon = line.indexOf(': ');
        headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 2);
    }
    return answerOf({ statusCode: Number.parseInt(headers.status, 10), headers }, output.subarray(end + 4));
}

/* Runs a command, and resolves to its answer; rejects where it fails, with what it had said
 * all the same as the error's answer. say: gets what it writes to its log. */
export function runCgi([command, ...args], env, body = '', say) {
    return new Promise((resolve, reject) => {
        const child = spawn(command, args, { env });
        const chunks = [];
        child.stdout.on('data', (chunk) => chunks.push(chunk));
        child.stderr.on('data', say);
        child.stdin.on('error', () => {}); // it may answer before it has read all
        child.on('error', reject);
        child.on('close', (code) => {
            const output = Buffer.concat(chunks);
            if (code === 0) return resolve(answerIn(output));
            const error = new Error(`${command} ended with ${code}`);
            if (output.includes('\r\n\r\n')) error.answer = answerIn(output);
            return reject(error);
        });
        child.stdin.end(body);
    });
}
