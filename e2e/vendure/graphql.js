// Speaking GraphQL to a shop. Vendure answers 200 whatever happens, and refuses in three ways: all of them throw here.

export class Client {
    #url;
    #token;

    /** @param url one of the shop's two APIs. A client starts without a session and keeps the one it is given. */
    constructor(url) {
        this.#url = url;
    }

    /** Sends an operation with one field at its top, and returns that field. */
    async ask(operation, variables = {}) {
        const headers = { 'content-type': 'application/json' };
        if (this.#token) headers.authorization = `Bearer ${this.#token}`;
        const answer = await fetch(this.#url, {
            method: 'POST',
            headers,
            body: JSON.stringify({ query: operation, variables }),
        });
        const text = await answer.text();
        if (!answer.ok) throw new Error(`${answer.status} for ${operation}: ${text}`);
        const { data, errors } = JSON.parse(text);
        if (errors) throw new Error(`${operation}: ${JSON.stringify(errors)}`);
        this.#token = answer.headers.get('vendure-auth-token') || this.#token;
        const [field] = Object.values(data);
        if (field?.errorCode) throw new Error(`${operation}: ${field.errorCode}: ${field.message}`);
        return field;
    }

    /** Every item of a list. `list` is the name of the query, `fields` what is wanted of an item. */
    async all(list, fields) {
        const items = [];
        for (;;) {
            const page = await this.ask(
                `query($skip: Int!) {
                    ${list}(options: { take: 10, skip: $skip, sort: { id: ASC } }) { totalItems items { ${fields} } }
                }`,
                { skip: items.length },
            );
            items.push(...page.items);
            if (page.items.length === 0 || items.length >= page.totalItems) return items;
        }
    }
}

/** The Admin API of the shop at BASE_URL, as its superadministrator. */
export async function administrator() {
    const { BASE_URL, SUPERADMIN_PASSWORD } = process.env;
    const admin = new Client(`${BASE_URL}/admin-api`);
    await admin.ask(
        `mutation($password: String!) {
            login(username: "superadmin", password: $password) {
                ... on CurrentUser { id }
                ... on ErrorResult { errorCode message }
            }
        }`,
        { password: SUPERADMIN_PASSWORD },
    );
    return admin;
}
