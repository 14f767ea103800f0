// Fills an empty shop and makes a key that may only read; prints the key as JSON.
import pg from 'pg';
import { createCatalogue } from './catalogue.js';
import { administrator } from './graphql.js';
import { placeOrders } from './orders.js';

const { DATABASE_URL } = process.env;

/** What the product asks its users to give it, and no more. */
const RIGHTS = ['ReadCatalog', 'ReadStockLocation', 'ReadOrder'];

const admin = await administrator();
const shippingMethod = await openForBusiness();
const variants = await createCatalogue(admin);

const database = new pg.Client({ connectionString: DATABASE_URL });
await database.connect();
await placeOrders(admin, variants, shippingMethod, async (code, placedAt) => {
    const { rowCount } = await database.query('UPDATE "order" SET "orderPlacedAt" = $1 WHERE code = $2', [
        placedAt,
        code,
    ]);
    if (rowCount !== 1) throw new Error(`there is no order ${code}`);
});
await database.end();

console.log(JSON.stringify({ api_key: await createKey() }));

/** Everything without which nothing can be bought; returns the id of the shipping method. */
async function openForBusiness() {
    const create = (type, input, fields = 'id') =>
        admin.ask(`mutation($input: Create${type}Input!) { create${type}(input: $input) { ${fields} } }`, { input });
    const named = name => [{ languageCode: 'en', name, description: '' }];
    const configured = (code, values) => ({
        code,
        arguments: Object.entries(values).map(([name, value]) => ({ name, value })),
    });

    const country = await create('Country', {
        code: 'RU',
        enabled: true,
        translations: [{ languageCode: 'en', name: 'Russia' }],
    });
    const zone = await create('Zone', { name: 'Everywhere', memberIds: [country.id] });
    const channel = await admin.ask('{ activeChannel { id } }');
    await admin.ask(
        `mutation($input: UpdateChannelInput!) {
            updateChannel(input: $input) { ... on Channel { id } ... on ErrorResult { errorCode message } }
        }`,
        {
            input: {
                id: channel.id,
                defaultTaxZoneId: zone.id,
                defaultShippingZoneId: zone.id,
                defaultCurrencyCode: 'RUB',
                availableCurrencyCodes: ['RUB'],
            },
        },
    );
    const category = await create('TaxCategory', { name: 'Standard', isDefault: true });
    // Net and gross prices must differ, or nobody would see them confused.
    await create('TaxRate', { name: 'VAT', enabled: true, value: 20, categoryId: category.id, zoneId: zone.id });
    for (const [code, automaticSettle] of [['card', 'true'], ['invoice', 'false']]) {
        await create('PaymentMethod', {
            code,
            enabled: true,
            handler: configured('dummy-payment-handler', { automaticSettle }),
            translations: named(code),
        });
    }
    const method = await create('ShippingMethod', {
        code: 'courier',
        fulfillmentHandler: 'manual-fulfillment',
        checker: configured('default-shipping-eligibility-checker', { orderMinimum: '0' }),
        calculator: configured('default-shipping-calculator', { rate: '500', includesTax: 'auto', taxRate: '20' }),
        translations: named('Courier'),
    });
    return method.id;
}

async function createKey() {
    const role = await admin.ask('mutation($input: CreateRoleInput!) { createRole(input: $input) { id } }', {
        input: { code: 'stock-reader', description: 'Reads stock and orders', permissions: RIGHTS },
    });
    const { apiKey } = await admin.ask(
        'mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { apiKey } }',
        { input: { roleIds: [role.id], translations: [{ languageCode: 'en', name: 'Stock reader' }] } },
    );
    return apiKey;
}
