//! Marketplace accounts: kept, changed, removed with everything read from them.

use domain::{
    ids::AccountId,
    marketplace::{
        Account, AccountInfo, AccountState, Capability, Credential, CredentialFacts, LastSync, Seller,
    },
    sync::SyncState,
    tenant::Tenant,
};
use secrecy::ExposeSecret as _;
use storage::{accounts, schedule, tenants, vault::OpenError};

use crate::fixture::{Shop, Store, at, first, new_account, on_both_databases, vault};

on_both_databases!(
    an_account_comes_back_as_it_was,
    one_seller_is_connected_once,
    settings_credential_state_and_last_sync,
    the_list_is_paged_oldest_first,
    removing_takes_everything_along,
    a_credential_copied_to_another_account_does_not_open,
    settings_of_the_tenant,
);

async fn get(store: &Store, scope: &storage::TenantScope, id: AccountId) -> Option<accounts::SealedAccount> {
    accounts::get(&store.read(scope).await, id).await.unwrap()
}

async fn an_account_comes_back_as_it_was(store: &Store) {
    let member = store.tenant().await;
    let account = Account { next_sync_at: Some(at(7)), ..new_account("seller") };
    let tx = store.write(&member.scope).await;
    accounts::insert(&tx, &account, None, "sealed".to_owned()).await.unwrap();
    tx.commit().await.unwrap();
    let found = get(store, &member.scope, account.id).await.unwrap();
    assert_eq!(found.account, account);
    assert_eq!(found.credential, "sealed");
    assert!(get(store, &member.scope, AccountId::generate()).await.is_none());
}

async fn one_seller_is_connected_once(store: &Store) {
    let (anna, boris) = (store.tenant().await, store.tenant().await);
    store.account(&anna.scope, "seller").await;
    let tx = store.write(&anna.scope).await;
    let refused = accounts::insert(&tx, &new_account("seller"), None, String::new()).await;
    assert!(matches!(refused, Err(storage::Error::Duplicate)), "{refused:?}");
    drop(tx);
    store.account(&anna.scope, "another").await;
    store.account(&boris.scope, "seller").await;
}

async fn settings_credential_state_and_last_sync(store: &Store) {
    let member = store.tenant().await;
    let id = store.account(&member.scope, "seller").await;
    let other = store.account(&member.scope, "other").await;
    let untouched = get(store, &member.scope, other).await.unwrap().account;
    let info = AccountInfo {
        seller: Seller { external_id: "seller".into(), name: "Новое имя".into() },
        facts: CredentialFacts {
            masked: "…wxyz".into(),
            expires_at: None,
            scopes: vec!["prices".into()],
            kind: Some("basic".into()),
            notes: vec!["Slow.".into()],
        },
        capabilities: [Capability::StockSeller].into(),
        slowest_interval_minutes: None,
    };
    let tx = store.write(&member.scope).await;
    accounts::update_settings(&tx, id, "Лавка", None, at(1)).await.unwrap();
    accounts::update_credential(&tx, id, &info, "sealed anew", at(2)).await.unwrap();
    accounts::set_state(&tx, id, AccountState::AuthFailed, at(3)).await.unwrap();
    accounts::note_sync(&tx, id, SyncState::Partial, at(4)).await.unwrap();
    schedule::set_next_sync(&tx, id, Some(at(5))).await.unwrap();
    tx.commit().await.unwrap();
    let found = get(store, &member.scope, id).await.unwrap();
    let expected = Account {
        name: "Лавка".into(),
        state: AccountState::AuthFailed,
        seller: info.seller,
        capabilities: info.capabilities,
        credential: info.facts,
        last_sync: Some(LastSync { state: SyncState::Partial, finished_at: at(4) }),
        next_sync_at: Some(at(5)),
        id,
        ..untouched.clone()
    };
    assert_eq!(found.account, expected);
    assert_eq!(found.credential, "sealed anew");
    assert_eq!(found.account.sync_interval_minutes, 30, "the tenant's, while it has none of its own");

    let tx = store.write(&member.scope).await;
    accounts::update_settings(&tx, id, "Лавка", Some(60), at(6)).await.unwrap();
    accounts::update_settings(&tx, id, "Лавка", None, at(6)).await.unwrap();
    accounts::set_capabilities(&tx, id, &[Capability::Orders].into()).await.unwrap();
    tx.commit().await.unwrap();
    let found = get(store, &member.scope, id).await.unwrap().account;
    assert_eq!((found.sync_interval_minutes, found.capabilities), (60, [Capability::Orders].into()));
    assert_eq!(get(store, &member.scope, other).await.unwrap().account, untouched);
}

async fn the_list_is_paged_oldest_first(store: &Store) {
    let member = store.tenant().await;
    let mut ids = Vec::new();
    for seller in ["c", "a", "b"] {
        ids.push(store.account(&member.scope, seller).await);
    }
    let tx = store.read(&member.scope).await;
    let mut page = first(2);
    let one = accounts::list(&tx, &page).await.unwrap();
    page.cursor = one.next;
    let two = accounts::list(&tx, &page).await.unwrap();
    assert_eq!(two.next, None);
    let seen: Vec<_> = one.items.iter().chain(&two.items).map(|a| a.id).collect();
    assert_eq!(seen, ids);
    let all: Vec<_> = accounts::all(&tx).await.unwrap().iter().map(|a| a.id).collect();
    assert_eq!(all, ids);
}

/// Everything that is an account's, and what stays when it goes.
const OF_AN_ACCOUNT: [&str; 14] = [
    "marketplace_account",
    "account_schedule",
    "account_reading",
    "warehouse",
    "product",
    "variant",
    "variant_barcode",
    "sync_run",
    "sync_step",
    "stock_reading",
    "stock_level",
    "stock_movement",
    "order_line",
    "order_day",
];

async fn removing_takes_everything_along(store: &Store) {
    let shop = Shop::new(store).await;
    let other = Shop::of(store, shop.owner.clone(), "another seller").await;
    shop.fill().await;
    let mut alone = Vec::new();
    for table in OF_AN_ACCOUNT {
        alone.push(store.number(&format!("SELECT count(*) AS n FROM {table}"), []).await);
    }
    other.cards(&[crate::fixture::card("p1", &[("v1", "42", &["b1"])])]).await;
    other.fbo(&[("v1", crate::fixture::wb("Коледино"), 5)]).await;
    let mut both = Vec::new();
    for table in OF_AN_ACCOUNT {
        both.push(store.number(&format!("SELECT count(*) AS n FROM {table}"), []).await);
    }
    assert!(alone.iter().all(|n| *n > 0), "something is in every table: {alone:?}");
    let tx = shop.write().await;
    assert!(accounts::remove(&tx, shop.account).await.unwrap());
    assert!(!accounts::remove(&tx, shop.account).await.unwrap());
    tx.commit().await.unwrap();
    for ((table, before), both) in OF_AN_ACCOUNT.into_iter().zip(alone).zip(both) {
        let left = store.number(&format!("SELECT count(*) AS n FROM {table}"), []).await;
        let others = i64::from(["marketplace_account", "account_schedule"].contains(&table));
        assert_eq!(left, both - before + others, "{table}");
    }
    assert_eq!(other.products().await["p1"].figures.total_stock(), Some(5));
}

async fn a_credential_copied_to_another_account_does_not_open(store: &Store) {
    let (anna, boris) = (store.tenant().await, store.tenant().await);
    let vault = vault();
    let credential = Credential::new([("token".to_owned(), "s3cret".into())].into());
    let mut ids = Vec::new();
    for (member, seller) in [(&anna, "one"), (&anna, "two"), (&boris, "one")] {
        let account = new_account(seller);
        let sealed = vault.seal_credential(member.id, account.id, &credential);
        let tx = store.write(&member.scope).await;
        accounts::insert(&tx, &account, None, sealed).await.unwrap();
        tx.commit().await.unwrap();
        ids.push(account.id);
    }
    let open = async |member: &crate::fixture::Member, id: AccountId| {
        let sealed = get(store, &member.scope, id).await.unwrap().credential;
        vault.open_credential(member.id, id, &sealed)
    };
    let opened = open(&anna, ids[0]).await.unwrap();
    assert_eq!(opened.field("token").unwrap().expose_secret(), "s3cret");
    // Somebody who can write to the database gives a row another row's credential.
    let copy = "UPDATE marketplace_account SET credential_sealed = (SELECT credential_sealed FROM marketplace_account \
                WHERE id = $1) WHERE id <> $1";
    assert_eq!(store.run(copy, [ids[0].as_uuid().into()]).await, 2);
    assert!(open(&anna, ids[0]).await.is_ok());
    assert_eq!(open(&anna, ids[1]).await.unwrap_err(), OpenError::WrongPlace);
    assert_eq!(open(&boris, ids[2]).await.unwrap_err(), OpenError::WrongPlace);
}

async fn settings_of_the_tenant(store: &Store) {
    let (anna, boris) = (store.tenant().await, store.tenant().await);
    let before = tenants::get(&store.read(&boris.scope).await).await.unwrap().unwrap();
    let tx = store.write(&anna.scope).await;
    let old = tenants::get(&tx).await.unwrap().unwrap();
    let changed = Tenant {
        name: "Лютик".into(),
        locale: "en".into(),
        zone: domain::calendar::Zone::parse("Asia/Omsk").unwrap(),
        low_stock: domain::tenant::LowStockRule { units: 3, days_of_cover: Some(4) },
        sync_interval_minutes: 45,
        ..old
    };
    tenants::update(&tx, &changed).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(tenants::get(&store.read(&anna.scope).await).await.unwrap().unwrap(), changed);
    assert_eq!(tenants::get(&store.read(&boris.scope).await).await.unwrap().unwrap(), before);
    // What is named is never another's: the tenant is the transaction's.
    let tx = store.write(&anna.scope).await;
    tenants::update(&tx, &Tenant { id: boris.id, name: "Чужой".into(), ..changed }).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(tenants::get(&store.read(&boris.scope).await).await.unwrap().unwrap(), before);
    assert_eq!(tenants::get(&store.read(&anna.scope).await).await.unwrap().unwrap().name, "Чужой");
}
