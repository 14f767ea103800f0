//! Signed-in devices: live, over, ended; and the rotation of their tokens.

use domain::{
    actor::{Actor, ActorKind},
    ids::{SessionId, TenantId, UserId},
    role::Role,
};
use storage::{
    identities::{self, NewIdentity},
    sessions::{self, LiveSession, NewSession, Rotation},
    tenants,
};

use crate::fixture::{Member, Store, at, on_both_databases};

on_both_databases!(
    a_session_is_live_until_it_is_over,
    ended_sessions_are_not_live,
    the_catalogue_version_is_read_with_the_session,
    a_token_is_traded_once,
    a_token_that_comes_again_at_once_has_lost_a_race,
    a_token_that_is_used_again_ends_its_session,
    tokens_of_ended_and_expired_sessions_are_worth_nothing,
    of_two_rotations_at_once_one_wins,
    only_members_enter,
    people_are_found_by_any_spelling_of_their_address,
    an_address_is_taken_once,
    sessions_long_over_are_removed,
);

fn actor(kind: ActorKind) -> Actor {
    Actor { kind, request_id: None, address: None }
}

async fn opened(store: &Store, member: &Member, token: &str) -> SessionId {
    let id = SessionId::generate();
    let entered = sessions::enter(&store.db, member.user, member.id, id, actor).await.unwrap();
    let tx = entered.unwrap();
    let new = NewSession {
        id,
        user_id: member.user,
        user_agent: Some("curl".to_owned()),
        address: Some("192.0.2.1".to_owned()),
        token_hash: token.to_owned(),
        at: at(0),
        expires_at: at(60),
    };
    sessions::open(&tx, &new).await.unwrap();
    tx.commit().await.unwrap();
    id
}

async fn live(store: &Store, id: SessionId, minutes: i64) -> Option<LiveSession> {
    sessions::authenticate(&store.db, id, at(minutes), actor).await.unwrap()
}

async fn rotate(store: &Store, old: &str, new: &str, minutes: i64) -> Rotation {
    sessions::rotate(&store.db, old, new, at(minutes), at(minutes + 60)).await.unwrap()
}

async fn a_session_is_live_until_it_is_over(store: &Store) {
    let member = store.tenant().await;
    let id = opened(store, &member, "t").await;
    let found = live(store, id, 59).await.unwrap();
    assert_eq!((found.user_id, found.role), (member.user, Role::Owner));
    assert_eq!(found.scope.tenant_id(), member.id);
    let kind = ActorKind::User { user_id: member.user, role: Role::Owner, session_id: id };
    assert_eq!(found.scope.actor(), &actor(kind));
    assert!(live(store, id, 60).await.is_none(), "over");
    assert!(live(store, SessionId::generate(), 0).await.is_none());

    let tx = store.read(&found.scope).await;
    let user = tenants::member(&tx, member.user).await.unwrap().unwrap();
    assert_eq!(user.last_login_at, Some(at(0)));
}

async fn ended_sessions_are_not_live(store: &Store) {
    let member = store.tenant().await;
    let (revoked, kept) = (opened(store, &member, "a").await, opened(store, &member, "b").await);
    let tx = store.write(&member.scope).await;
    sessions::revoke(&tx, revoked, at(1)).await.unwrap();
    tx.commit().await.unwrap();
    assert!(live(store, revoked, 2).await.is_none());
    assert!(live(store, kept, 2).await.is_some());

    let (tenant, user) = (member.id.as_uuid(), member.user.as_uuid());
    for (shut, open, who) in [
        (
            "UPDATE identity SET disabled_at = created_at WHERE id = $1",
            "UPDATE identity SET disabled_at = NULL WHERE id = $1",
            user,
        ),
        (
            "UPDATE tenant SET suspended_at = created_at WHERE id = $1",
            "UPDATE tenant SET suspended_at = NULL WHERE id = $1",
            tenant,
        ),
    ] {
        assert_eq!(store.run(shut, [who.into()]).await, 1);
        assert!(live(store, kept, 2).await.is_none(), "{shut}");
        store.run(open, [who.into()]).await;
        assert!(live(store, kept, 2).await.is_some());
    }
    store.run("DELETE FROM membership WHERE tenant_id = $1", [tenant.into()]).await;
    assert!(live(store, kept, 2).await.is_none(), "no member any more");
}

async fn the_catalogue_version_is_read_with_the_session(store: &Store) {
    let member = store.tenant().await;
    let id = opened(store, &member, "t").await;
    let before = live(store, id, 1).await.unwrap().catalogue_version;
    let tx = store.write(&member.scope).await;
    tenants::bump_catalogue_version(&tx).await.unwrap();
    drop(tx);
    assert_eq!(live(store, id, 1).await.unwrap().catalogue_version, before, "rolled back");
    let tx = store.write(&member.scope).await;
    tenants::bump_catalogue_version(&tx).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(live(store, id, 1).await.unwrap().catalogue_version, before + 1);
}

async fn a_token_is_traded_once(store: &Store) {
    let member = store.tenant().await;
    let id = opened(store, &member, "t0").await;
    assert_eq!(rotate(store, "t0", "t1", 50).await, Rotation::Rotated(id));
    assert!(live(store, id, 100).await.is_some(), "refreshed");
    assert_eq!(rotate(store, "t1", "t2", 100).await, Rotation::Rotated(id));
    assert_eq!(rotate(store, "never given out", "x", 100).await, Rotation::Unknown);
}

async fn a_token_that_is_used_again_ends_its_session(store: &Store) {
    let member = store.tenant().await;
    let (stolen, other) = (opened(store, &member, "t0").await, opened(store, &member, "u0").await);
    assert_eq!(rotate(store, "t0", "t1", 1).await, Rotation::Rotated(stolen));
    assert_eq!(rotate(store, "t0", "t2", 2).await, Rotation::Reused);
    assert!(live(store, stolen, 3).await.is_none());
    assert!(live(store, other, 3).await.is_some(), "another device");
    assert_ne!(
        rotate(store, "t1", "t3", 3).await,
        Rotation::Rotated(stolen),
        "the thief's token is dead too"
    );
}

async fn a_token_that_comes_again_at_once_has_lost_a_race(store: &Store) {
    let member = store.tenant().await;
    let id = opened(store, &member, "t0").await;
    assert_eq!(rotate(store, "t0", "t1", 1).await, Rotation::Rotated(id));
    assert_eq!(rotate(store, "t0", "t2", 1).await, Rotation::Lost);
    assert!(live(store, id, 1).await.is_some());
    assert_eq!(rotate(store, "t1", "t3", 1).await, Rotation::Rotated(id), "the winner's goes on");
}

async fn tokens_of_ended_and_expired_sessions_are_worth_nothing(store: &Store) {
    let member = store.tenant().await;
    opened(store, &member, "expired").await;
    assert_eq!(rotate(store, "expired", "x", 60).await, Rotation::Unknown);

    let revoked = opened(store, &member, "revoked").await;
    let tx = store.write(&member.scope).await;
    sessions::revoke(&tx, revoked, at(1)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(rotate(store, "revoked", "y", 2).await, Rotation::Unknown);
    assert_eq!(rotate(store, "y", "z", 2).await, Rotation::Unknown, "no token was given out for it");
}

/// Whoever loses the race may be told so, or be taken for a thief; but only one gets a new token.
async fn of_two_rotations_at_once_one_wins(store: &Store) {
    let member = store.tenant().await;
    let elsewhere = store.another_process().await;
    for round in 0..15 {
        let (old, a, b) = (format!("{round}"), format!("{round}a"), format!("{round}b"));
        let id = opened(store, &member, &old).await;
        let (one, other) = tokio::join!(
            sessions::rotate(&store.db, &old, &a, at(1), at(90)),
            sessions::rotate(&elsewhere, &old, &b, at(1), at(90)),
        );
        let outcomes = [one.unwrap(), other.unwrap()];
        let won = outcomes.iter().filter(|o| **o == Rotation::Rotated(id)).count();
        assert_eq!(won, 1, "{outcomes:?}");
        assert!(
            outcomes.iter().all(|o| matches!(o, Rotation::Rotated(_) | Rotation::Lost | Rotation::Reused)),
            "{outcomes:?}"
        );
        let alive = live(store, id, 2).await.is_some();
        assert_eq!(alive, !outcomes.contains(&Rotation::Reused), "{outcomes:?}");
        let sql = "SELECT count(*) AS n FROM refresh_token WHERE session_id = $1";
        assert_eq!(store.number(sql, [id.as_uuid().into()]).await, 2, "one new token");
    }
}

async fn only_members_enter(store: &Store) {
    let (anna, boris) = (store.tenant().await, store.tenant().await);
    let id = SessionId::generate();
    let enter = async |user: UserId, tenant: TenantId| {
        sessions::enter(&store.db, user, tenant, id, actor).await.unwrap().is_some()
    };
    assert!(enter(anna.user, anna.id).await);
    assert!(!enter(anna.user, boris.id).await);
    assert!(!enter(UserId::generate(), anna.id).await);

    // Nor does the transaction of one tenant end the session of another.
    let session = opened(store, &boris, "t").await;
    let tx = store.write(&anna.scope).await;
    sessions::revoke(&tx, session, at(1)).await.unwrap();
    tx.commit().await.unwrap();
    assert!(live(store, session, 2).await.is_some());
}

async fn people_are_found_by_any_spelling_of_their_address(store: &Store) {
    let member = store.tenant().await;
    let upper = domain::email::Email::parse(&member.email.as_str().to_uppercase()).unwrap();
    let found = identities::find(&store.db, &upper).await.unwrap().unwrap();
    assert_eq!((found.user_id, found.tenant_id), (member.user, Some(member.id)));
    assert!(!found.disabled);

    identities::upgrade_hash(&store.db, member.user, "not the hash", "new").await.unwrap();
    assert_eq!(identities::find(&store.db, &upper).await.unwrap().unwrap().password_hash, "hash");
    identities::upgrade_hash(&store.db, member.user, "hash", "new").await.unwrap();
    assert_eq!(identities::find(&store.db, &upper).await.unwrap().unwrap().password_hash, "new");

    let nobody = domain::email::Email::parse("nobody@example.com").unwrap();
    assert!(identities::find(&store.db, &nobody).await.unwrap().is_none());
}

async fn an_address_is_taken_once(store: &Store) {
    let member = store.tenant().await;
    let tx = store.read(&member.scope).await;
    let company = tenants::get(&tx).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    let other = domain::tenant::Tenant { id: TenantId::generate(), slug: "other".to_owned(), ..company };
    let email = domain::email::Email::parse(&member.email.as_str().to_uppercase()).unwrap();
    let person = NewIdentity { id: UserId::generate(), email, password_hash: "hash".to_owned() };
    let refused = identities::register(&store.db, &person, &other, Actor::schedule(), at(0)).await;
    assert!(matches!(refused, Err(storage::Error::Duplicate)), "{refused:?}");
    let tenants = store.number("SELECT count(*) AS n FROM tenant", []).await;
    assert_eq!(tenants, 1, "nothing of it stands");
}

async fn sessions_long_over_are_removed(store: &Store) {
    let member = store.tenant().await;
    let id = opened(store, &member, "t").await;
    assert_eq!(sessions::prune(&store.db, at(60)).await.unwrap(), 0, "just over");
    assert_eq!(rotate(store, "t", "u", 59).await, Rotation::Rotated(id));
    assert_eq!(sessions::prune(&store.db, at(61)).await.unwrap(), 0, "refreshed");
    assert_eq!(sessions::prune(&store.db, at(1_000)).await.unwrap(), 1);
    assert_eq!(store.number("SELECT count(*) AS n FROM refresh_token", []).await, 0);
}
