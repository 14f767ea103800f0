// Orders as customers place them, in the states that count differently.
import { Client } from './graphql.js';

/**
 * `at` is when the order was placed: days ago and time of day in Moscow; now, when not said. `payment` is what the
 * customer does: nothing leaves a basket, which is no order. `then` is what the shop does.
 */
const ORDERS = [
    { payment: 'invoice', lines: { 'ST-010': 2, 'ST-011': 1 } },
    { payment: 'card', lines: { 'ST-010': 1, 'ST-098': 4, 'ST-097': 5 } },
    { payment: 'card', lines: { 'ST-100': 3, 'ST-007': 2, 'ST-099': 1 } },
    // The ends of the window of seven days, and the first moment of today.
    { payment: 'card', lines: { 'ST-020': 1 }, at: [0, '00:00:00'] },
    { payment: 'card', lines: { 'ST-020': 2 }, at: [1, '23:59:59'] },
    { payment: 'card', lines: { 'ST-020': 3, 'ST-021': 1 }, at: [7, '00:00:00'] },
    { payment: 'card', lines: { 'ST-020': 5 }, at: [8, '23:59:59'] },
    { payment: 'card', lines: { 'ST-030': 2, 'ST-100': 1 }, at: [2, '12:00:00'] },
    { payment: 'card', lines: { 'ST-040': 2, 'ST-041': 2 }, at: [3, '09:30:00'], then: fulfil },
    { payment: 'invoice', lines: { 'ST-050': 3, 'ST-051': 1 }, at: [4, '18:00:00'], then: cancel() },
    { payment: 'card', lines: { 'ST-060': 4, 'ST-061': 1 }, at: [5, '18:00:00'], then: cancel({ 'ST-060': 1 }) },
    { payment: 'card', lines: { 'ST-070': 2 }, then: cancel() },
    { lines: { 'ST-080': 2 } },
];

/**
 * Places all of them. `backdate` moves the time at which an order (by its code) was placed, which no API does.
 *
 * @param variants id by SKU
 */
export async function placeOrders(admin, variants, shippingMethod, backdate) {
    for (const [index, order] of ORDERS.entries()) {
        const shop = new Client(`${process.env.BASE_URL}/shop-api`);
        for (const [sku, quantity] of Object.entries(order.lines)) {
            await shop.ask(
                `mutation($id: ID!, $quantity: Int!) {
                    addItemToOrder(productVariantId: $id, quantity: $quantity) { ${RESULT} }
                }`,
                { id: variants.get(sku), quantity },
            );
        }
        if (!order.payment) continue;
        const placed = await checkOut(shop, index, shippingMethod, order.payment);
        if (order.at) await backdate(placed.code, momentOf(order.at));
        await order.then?.(admin, placed);
    }
}

const RESULT = '... on Order { id code state lines { id quantity productVariant { sku } } } ... on ErrorResult { errorCode message }';

async function checkOut(shop, number, shippingMethod, payment) {
    await shop.ask(
        `mutation($input: CreateCustomerInput!) { setCustomerForOrder(input: $input) { ${RESULT} } }`,
        { input: { firstName: 'Customer', lastName: `${number}`, emailAddress: `customer-${number}@example.com` } },
    );
    await shop.ask(
        `mutation($input: CreateAddressInput!) { setOrderShippingAddress(input: $input) { ${RESULT} } }`,
        { input: { streetLine1: 'Street 1', city: 'City', postalCode: '101000', countryCode: 'RU' } },
    );
    await shop.ask(
        `mutation($id: [ID!]!) { setOrderShippingMethod(shippingMethodId: $id) { ${RESULT} } }`,
        { id: [shippingMethod] },
    );
    await shop.ask(`mutation { transitionOrderToState(state: "ArrangingPayment") { ${RESULT} } }`);
    return shop.ask(
        `mutation($input: PaymentInput!) { addPaymentToOrder(input: $input) { ${RESULT} } }`,
        { input: { method: payment, metadata: {} } },
    );
}

async function fulfil(admin, order) {
    const { id } = await admin.ask(
        `mutation($input: FulfillOrderInput!) {
            addFulfillmentToOrder(input: $input) {
                ... on Fulfillment { id }
                ... on ErrorResult { errorCode message }
            }
        }`,
        {
            input: {
                lines: order.lines.map(line => ({ orderLineId: line.id, quantity: line.quantity })),
                handler: {
                    code: 'manual-fulfillment',
                    arguments: [
                        { name: 'method', value: 'courier' },
                        { name: 'trackingCode', value: '' },
                    ],
                },
            },
        },
    );
    for (const state of ['Shipped', 'Delivered']) {
        await admin.ask(
            `mutation($id: ID!, $state: String!) {
                transitionFulfillmentToState(id: $id, state: $state) {
                    ... on Fulfillment { id }
                    ... on ErrorResult { errorCode message }
                }
            }`,
            { id, state },
        );
    }
}

/** Cancels units by SKU; the whole order, when none are named. */
function cancel(units) {
    return async (admin, order) => {
        const lines = order.lines
            .filter(line => !units || units[line.productVariant.sku])
            .map(line => ({ orderLineId: line.id, quantity: units?.[line.productVariant.sku] ?? line.quantity }));
        await admin.ask(
            `mutation($input: CancelOrderInput!) {
                cancelOrder(input: $input) { ... on Order { id } ... on ErrorResult { errorCode message } }
            }`,
            { input: { orderId: order.id, lines, reason: 'changed their mind', cancelShipping: !units } },
        );
    };
}

/** Moscow has been three hours ahead of UTC since 2014. */
function momentOf([daysAgo, time]) {
    const today = new Date(Date.now() + 3 * 3_600_000);
    today.setUTCDate(today.getUTCDate() - daysAgo);
    return new Date(`${today.toISOString().slice(0, 10)}T${time}+03:00`);
}
