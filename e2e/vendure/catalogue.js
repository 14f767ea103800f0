// One hundred variants in three places: enough of every kind that a reader of stock can get wrong.

export const LOCATIONS = ['Main warehouse', 'Shop', 'Showroom'];

const SIZES = ['S', 'M', 'L', 'XL', 'XXL'];
/** Variants of each product, in order: 100 together. */
const VARIANTS = [...Array(13).fill(5), ...Array(9).fill(3), ...Array(8).fill(1)];

/** What differs from the rule, by SKU. `onHand` is by location; without a number for the last one, no level there. */
const SPECIAL = {
    // An untracked variant alone in its product, and one among tracked ones.
    'ST-100': { trackInventory: 'FALSE' },
    'ST-007': { trackInventory: 'FALSE' },
    // Three units that Vendure keeps back. The threshold is the variant's, not a location's.
    'ST-099': { useGlobalOutOfStockThreshold: false, outOfStockThreshold: 3, onHand: [5, 5, 2] },
    // Sold beyond what is there.
    'ST-098': { useGlobalOutOfStockThreshold: false, outOfStockThreshold: -5, onHand: [2, 0, 0] },
    // Sold from two places at once.
    'ST-097': { onHand: [3, 10, 0] },
    // Out everywhere, and out but for the last place.
    'ST-096': { onHand: [0, 0, 0] },
    'ST-095': { onHand: [0, 0, 1] },
    // Never brought to the last place.
    'ST-094': { onHand: [4, 9] },
    'ST-093': { onHand: [0, 0] },
};

/** Makes the catalogue; returns the id of each variant by SKU. */
export async function createCatalogue(admin) {
    const [first] = await admin.all('stockLocations', 'id');
    await admin.ask('mutation($input: UpdateStockLocationInput!) { updateStockLocation(input: $input) { id } }', {
        input: { id: first.id, name: LOCATIONS[0] },
    });
    const locations = [first.id, await createLocation(admin, LOCATIONS[1])];
    const sizes = await createSizes(admin);
    const ids = new Map();
    for (const [index, count] of VARIANTS.entries()) {
        const product = await createProduct(admin, index + 1);
        if (count > 1) {
            await admin.ask(
                `mutation($product: ID!, $group: ID!) {
                    addOptionGroupToProduct(productId: $product, optionGroupId: $group) { id }
                }`,
                { product: product.id, group: sizes.group },
            );
        }
        const sold = ids.size;
        const input = Array.from({ length: count }, (_, size) => ({
            productId: product.id,
            optionIds: count > 1 ? [sizes.options[size]] : [],
            translations: named(count > 1 ? `${product.name} ${SIZES[size]}` : product.name),
            ...variant(sold + size + 1, locations),
        }));
        const created = await admin.ask(
            'mutation($input: [CreateProductVariantInput!]!) { createProductVariants(input: $input) { id sku } }',
            { input },
        );
        for (const { id, sku } of created) ids.set(sku, id);
    }
    await openLastLocation(admin, ids);
    return ids;
}

/** A variant gets a level in every location there is, so one that is opened later has variants without. */
async function openLastLocation(admin, ids) {
    const place = LOCATIONS.length - 1;
    const stockLocationId = await createLocation(admin, LOCATIONS[place]);
    const input = [...ids].flatMap(([sku, id], index) => {
        const stockOnHand = onHand(sku, index + 1)[place];
        return stockOnHand === undefined ? [] : [{ id, stockLevels: [{ stockLocationId, stockOnHand }] }];
    });
    await admin.ask(
        'mutation($input: [UpdateProductVariantInput!]!) { updateProductVariants(input: $input) { id } }',
        { input },
    );
}

async function createLocation(admin, name) {
    const { id } = await admin.ask(
        'mutation($input: CreateStockLocationInput!) { createStockLocation(input: $input) { id } }',
        { input: { name } },
    );
    return id;
}

/** The group and its options, in the order of SIZES. */
async function createSizes(admin) {
    const options = SIZES.map(size => ({ code: size.toLowerCase(), translations: named(size) }));
    const group = await admin.ask(
        `mutation($input: CreateProductOptionGroupInput!) {
            createProductOptionGroup(input: $input) { id options { id code } }
        }`,
        { input: { code: 'size', translations: named('Size'), options } },
    );
    const idOf = ({ code }) => group.options.find(option => option.code === code).id;
    return { group: group.id, options: options.map(idOf) };
}

function createProduct(admin, number) {
    const name = `Product ${number}`;
    return admin.ask(
        'mutation($input: CreateProductInput!) { createProduct(input: $input) { id name } }',
        { input: { translations: [{ languageCode: 'en', name, slug: `product-${number}`, description: '' }] } },
    );
}

function variant(number, locations) {
    const sku = `ST-${String(number).padStart(3, '0')}`;
    const { onHand: _, ...special } = SPECIAL[sku] ?? {};
    const stock = onHand(sku, number);
    return {
        sku,
        price: 990 + number * 100,
        stockLevels: locations.map((stockLocationId, place) => ({ stockLocationId, stockOnHand: stock[place] })),
        trackInventory: 'INHERIT',
        ...special,
    };
}

/** Units by location. */
function onHand(sku, number) {
    return SPECIAL[sku]?.onHand ?? LOCATIONS.map((_, place) => (number * 7 + place * 13) % 41);
}

function named(name) {
    return [{ languageCode: 'en', name }];
}
