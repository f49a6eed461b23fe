/* tls.mjs: a certificate that nobody vouches for. */
import { execFile } from 'node:child_process';
import { promises as fs } from 'node:fs';
import { promisify } from 'node:util';

/* Writes a key and a certificate for 127.0.0.1 to the file pem; resolves to the latter. */
export async function selfSigned(pem) {
    const crt = `${pem}.crt`;
    await promisify(execFile)('openssl', [
        'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2',
        '-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', pem, '-out', crt,
    ]);
    const certificate = await fs.readFile(crt);
    await fs.appendFile(pem, certificate);
    await fs.rm(crt);
    return certificate;
}
