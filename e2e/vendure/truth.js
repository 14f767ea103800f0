// Prints what Vendure itself says of its stock and orders, as JSON; the fields are named after Vendure's.
import { administrator } from './graphql.js';

const admin = await administrator();
const { trackInventory } = await admin.ask('{ globalSettings { trackInventory } }');
const variants = await admin.all(
    'productVariants',
    `id sku name trackInventory product { id name }
    stockLevels { stockOnHand stockAllocated stockLocation { id name } }`,
);
const orders = await admin.all(
    'orders',
    `code orderPlacedAt currencyCode
    lines { quantity orderPlacedQuantity proratedUnitPriceWithTax productVariant { id } }`,
);

console.log(
    JSON.stringify({
        // The day it is for a shop that counts days in Moscow.
        today: dayOf(new Date()),
        locations: await admin.all('stockLocations', 'id name'),
        variants: variants.map(variant => ({
            ...variant,
            trackInventory: variant.trackInventory === 'INHERIT' ? trackInventory : variant.trackInventory === 'TRUE',
        })),
        // A basket is not placed, and is no order.
        orders: orders
            .filter(order => order.orderPlacedAt)
            .map(order => ({ ...order, daysAgo: daysAgo(new Date(order.orderPlacedAt)) })),
    }),
);

/** A calendar day in Moscow, such as 2026-11-21. */
function dayOf(moment) {
    return new Intl.DateTimeFormat('sv-SE', { timeZone: 'Europe/Moscow' }).format(moment);
}

function daysAgo(moment) {
    return (Date.parse(dayOf(new Date())) - Date.parse(dayOf(moment))) / 86_400_000;
}
