// Changes one stock level by some units, as somebody counting a shelf does: change-stock.js <sku> <location> <units>
import { administrator } from './graphql.js';

const [sku, location, units] = process.argv.slice(2);
const admin = await administrator();
const { items: [variant] } = await admin.ask(
    `query($sku: String!) {
        productVariants(options: { filter: { sku: { eq: $sku } } }) {
            items { id stockLevels { stockOnHand stockLocation { id name } } }
        }
    }`,
    { sku },
);
const level = variant.stockLevels.find(({ stockLocation }) => stockLocation.name === location);
const stockLevels = [{ stockLocationId: level.stockLocation.id, stockOnHand: level.stockOnHand + Number(units) }];
await admin.ask(
    'mutation($input: [UpdateProductVariantInput!]!) { updateProductVariants(input: $input) { id } }',
    { input: [{ id: variant.id, stockLevels }] },
);
