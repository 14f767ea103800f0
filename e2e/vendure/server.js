// A Vendure shop on a database of its own. When it listens, READY_FILE holds its address.
import { rename, writeFile } from 'node:fs/promises';
import vendure from '@vendure/core';

const { bootstrap, DefaultLogger, dummyPaymentHandler, LogLevel } = vendure;

const { DATABASE_URL, SUPERADMIN_PASSWORD, READY_FILE } = process.env;

const app = await bootstrap({
    apiOptions: {
        hostname: '127.0.0.1',
        port: 0,
        adminApiPath: 'admin-api',
        shopApiPath: 'shop-api',
        // As an operator may, less than anybody would ask for by himself: every list has several pages.
        adminListQueryLimit: 12,
    },
    authOptions: {
        // Sessions of the seeding script; keys of the product under test.
        tokenMethod: ['bearer', 'api-key'],
        superadminCredentials: { identifier: 'superadmin', password: SUPERADMIN_PASSWORD },
    },
    dbConnectionOptions: { type: 'postgres', url: DATABASE_URL, synchronize: true, logging: false },
    paymentOptions: { paymentMethodHandlers: [dummyPaymentHandler] },
    logger: new DefaultLogger({ level: LogLevel.Info }),
    customFields: {},
    plugins: [],
});

// Under its name the file is complete.
const { port } = app.getHttpServer().address();
await writeFile(`${READY_FILE}.new`, `http://127.0.0.1:${port}`);
await rename(`${READY_FILE}.new`, READY_FILE);
