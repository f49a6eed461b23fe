/*
 * tus_clients.mjs: the tus clients that people use. Each uploads a file as film.mp4 and
 * tries again for as long as it takes.
 */
import Uppy from '@uppy/core';
import UppyTus from '@uppy/tus';
import * as tus from 'tus-js-client';

const RETRY = Array(40).fill(50); // ms; both begin to count anew when bytes got through

/* data: a Buffer or a stream of a file; options: more of tus-js-client's own. */
export const byTusJs = (endpoint, data, options) =>
    new Promise((resolve, reject) => {
        const upload = new tus.Upload(data, {
            endpoint,
            retryDelays: RETRY,
            metadata: { filename: 'film.mp4', filetype: 'video/mp4' },
            onSuccess: resolve,
            onError: reject,
            ...options,
        });
        upload.start();
    });

/*
 * Uppy is made for browsers: of a file it wants the size, and of a request the object that
 * the browser would have. What it sends when, and again, is the same here.
 */
const stack = new tus.DefaultHttpStack();
const httpStack = {
    getName: () => stack.getName(),
    createRequest: (method, url) =>
        Object.assign(stack.createRequest(method, url), { getUnderlyingObject: () => ({}) }),
};

/* data: as above, of so many bytes. */
export async function byUppy(endpoint, data, size) {
    const uppy = new Uppy();
    uppy.use(UppyTus, { endpoint, retryDelays: RETRY, httpStack });
    uppy.addFile({ name: 'film.mp4', type: 'video/mp4', data: Object.assign(data, { size }) });
    const { successful, failed } = await uppy.upload();
    if (successful.length !== 1) throw new Error(`Uppy: ${failed.map(({ error }) => error)}`);
}
