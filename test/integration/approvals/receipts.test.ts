import fc from 'fast-check';
import { CompactSign, exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { createApi } from '../../../src/api/server.ts';
import { createDeputy } from '../../../src/approvals/deputies.ts';
import { RECEIPT_TYPE, type Receipt } from '../../../src/approvals/receipts/claims.ts';
import { receiptsOf } from '../../../src/approvals/receipts/list.ts';
import { keepShown } from '../../../src/approvals/receipts/shown-text.ts';
import { type ReceiptKey, receiptKeys, verifyReceipts } from '../../../src/approvals/receipts/verify.ts';
import { call } from '../../support/api.ts';
import { actorOf, givenPendingAction, givenToken } from '../../support/fixtures.ts';
import { describeWithServices, type TestServices } from '../../support/services.ts';
import { answer, givenBrokenGlass, givenPeople, givenRefund } from './people.ts';
import { givenBank } from './support.ts';

type File = { receipts: Receipt[] };

describeWithServices('receipts', (make) => {
  let services: TestServices;
  let keys: ReceiptKey[];
  let file: File;
  let actionId: string;
  const fileOf = async (id: string): Promise<File> => ({ receipts: await receiptsOf(services.db.sql, id) });
  const first = ({ receipts: [receipt] }: File): Required<Receipt> => receipt as Required<Receipt>;
  const refused = (words: RegExp) => ({ message: expect.stringMatching(words) });

  beforeAll(async () => {
    services = await make();
    await givenPeople(services);
    keys = receiptKeys({ keys: [services.keys.publicJwk] });
    const action = await givenPendingAction(services, {
      args: { id: 'R-1', card: '4111-secret', note: 'Zoë 予約' },
    });
    actionId = action.id;
    await answer(services, action, 'ana', { reason: 'Fine', digest: action.args_digest, revision: 1 });
    file = await fileOf(actionId);
  });

  test('say who decided what, when, how they were known, and what they saw', async () => {
    const [one] = await verifyReceipts(file, keys, actionId);
    expect(one?.claims).toMatchObject({
      iss: 'http://portcullis.test',
      action: actionId,
      agent: 'desk',
      tool: 'cancel',
      verdict: 'approve',
      person: 'ana',
      identity: 'test',
      via: 'api',
      round: 0,
      at: services.clock.now().toISOString(),
    });
    expect(one?.text).toContain('"note": "Zoë 予約"');
    expect(one?.text).not.toContain('4111-secret');
  });

  test('a deputy’s says for whom; a broken glass says so; a denial is one, too', async () => {
    const endsAt = new Date(services.clock.now().getTime() + 60_000);
    const ana = actorOf('approver', { person: 'ana' });
    await createDeputy(services, ana, { agent: 'desk', to: 'dave', endsAt, reason: 'Away' });
    const lent = await givenPendingAction(services);
    await answer(services, lent, 'dave');
    const glass = await givenBrokenGlass(services);
    const denied = await givenPendingAction(services);
    await answer(services, denied, 'ben', { verdict: 'deny', reason: 'No' });
    const claims = async ({ id }: { id: string }) =>
      (await verifyReceipts(await fileOf(id), keys, id)).map((one) => one.claims);
    expect(await claims(lent)).toMatchObject([{ person: 'dave', for: 'ana' }]);
    expect(await claims(glass)).toMatchObject([{ person: 'finn', breakGlass: true }]);
    expect(await claims(denied)).toMatchObject([{ person: 'ben', verdict: 'deny' }]);
    await services.db.sql.deleteFrom('deputy').execute();
  });

  test('who breaks the glass or denies after approving has one of each, in one millisecond, too', async () => {
    const bank = await make();
    await givenBank(bank, '{ stages: [{ group: desk }, { group: legal }], breakGlass: desk }');
    const action = await givenPendingAction(bank, { tool: 'pay', args: { amount: 5, to: 'Mia' } });
    await answer(bank, action, 'ana');
    await answer(bank, action, 'ana', { breakGlass: true, reason: 'The bank burns' });
    const receipts = await receiptsOf(bank.db.sql, action.id);
    const known = receiptKeys({ keys: [bank.keys.publicJwk] });
    const [alone, glass] = await verifyReceipts({ receipts }, known, action.id);
    expect(alone?.claims).not.toHaveProperty('breakGlass');
    expect(glass?.claims).toMatchObject({ person: 'ana', breakGlass: true });

    const other = await givenPendingAction(bank, { tool: 'pay', args: { amount: 5, to: 'Mia' } });
    await answer(bank, other, 'ana');
    await answer(bank, other, 'ana', { verdict: 'deny' });
    const both = await receiptsOf(bank.db.sql, other.id);
    expect(await verifyReceipts({ receipts: both }, known, other.id)).toHaveLength(2);
  });

  test('the like that is approved along with it is signed by all who approve it, and named', async () => {
    const bank = await make();
    await givenBank(bank, '{ group: desk, quorum: 2 }');
    const action = await givenPendingAction(bank, { tool: 'pay', args: { amount: 5, to: 'Mia' } });
    const wish = { envelope: 'args.amount <= 9', maxUses: 5, forMs: 3_600_000 };
    const { action: wished } = await answer(bank, action, 'ana', { standing: wish });
    await answer(bank, wished, 'ben', { revision: wished.revision });
    const receipts = await receiptsOf(bank.db.sql, action.id);
    const verified = await verifyReceipts(
      { receipts },
      receiptKeys({ keys: [bank.keys.publicJwk] }),
      action.id,
    );
    for (const { claims, text } of verified) {
      expect(claims.standing).toEqual({ maxUses: 5, forMs: 3_600_000 });
      expect(text).toContain('as ana wished: at most 5 times within 60 minutes, where args.amount <= 9');
    }
    expect(verified.map(({ claims }) => claims.person)).toEqual(['ana', 'ben']);
  });

  test('each of a quorum has its own, with the text of the card that was clicked', async () => {
    const action = await givenRefund(services);
    await keepShown(services.db.sql, action.id, 3, 'Refund 5?');
    for (const person of ['ana', 'ben']) await answer(services, action, person, { cardVersion: 3 });
    const verified = await verifyReceipts(await fileOf(action.id), keys, action.id);
    expect(verified.map(({ claims, text }) => [claims.person, claims.shown.cardVersion, text])).toEqual([
      ['ana', 3, 'Refund 5?'],
      ['ben', 3, 'Refund 5?'],
    ]);
  });

  test('once erased, the signature stays and the text is gone', async () => {
    const erased = { receipts: [{ jws: first(file).jws }] };
    const [one] = await verifyReceipts(erased, keys, actionId);
    expect(one).toMatchObject({ claims: { person: 'ana' } });
    expect(one?.text).toBeUndefined();
    const action = await givenPendingAction(services);
    await answer(services, action, 'ana');
    await services.db.sql
      .updateTable('receipt')
      .set({ shown: null, salt: null })
      .where('action_id', '=', action.id)
      .execute();
    expect(await fileOf(action.id)).toEqual({ receipts: [{ jws: expect.any(String) }] });
  });

  describe('are refused', () => {
    const flipped = (text: string, at: number, bit: number): string => {
      const bytes = Buffer.from(text, 'utf8');
      bytes.writeUInt8(bytes.readUInt8(at % bytes.length) ^ (1 << bit), at % bytes.length);
      return bytes.toString('utf8');
    };

    test('with any bit of signature, header, claims, text or salt flipped', async () => {
      const { jws, shown } = first(file);
      const part = fc.constantFrom('jws', 'text', 'salt');
      await fc.assert(
        fc.asyncProperty(part, fc.nat(), fc.integer({ min: 0, max: 7 }), async (where, at, bit) => {
          const changed = {
            jws: where === 'jws' ? flipped(jws, at, bit) : jws,
            shown: {
              text: where === 'text' ? flipped(shown.text, at, bit) : shown.text,
              salt: where === 'salt' ? flipped(shown.salt, at, bit) : shown.salt,
            },
          };
          await expect(verifyReceipts({ receipts: [changed] }, keys)).rejects.toThrow();
        }),
        { numRuns: 300 },
      );
    });

    test('with every other letter in every place of the JWS', async () => {
      const { jws, shown } = first(file);
      for (let at = 0; at < jws.length; at++) {
        const other = jws[at] === 'A' ? 'B' : 'A';
        const changed = { jws: jws.slice(0, at) + other + jws.slice(at + 1), shown };
        await expect(verifyReceipts({ receipts: [changed] }, keys)).rejects.toThrow();
      }
    });

    test('with another text, another salt or the text of another receipt', async () => {
      const { jws, shown } = first(file);
      const other = await givenBrokenGlass(services);
      for (const changed of [
        { text: `${shown.text} `, salt: shown.salt },
        { text: shown.text, salt: '0'.repeat(64) },
        first(await fileOf(other.id)).shown,
      ])
        await expect(verifyReceipts({ receipts: [{ jws, shown: changed }] }, keys)).rejects.toMatchObject(
          refused(/receipt 1 was signed for another text/),
        );
    });

    test('unsigned, or signed by HS256 with the public key as the secret', async () => {
      const { jws, shown } = first(file);
      const claims = JSON.parse(Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString());
      const unsigned = new UnsecuredJWT(claims).encode();
      const header = { kid: services.keys.kid, typ: RECEIPT_TYPE };
      const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
      const none = `${part({ ...header, alg: 'none' })}.${part(claims)}.`;
      const secrets = [services.keys.publicJwk.x ?? '', JSON.stringify(services.keys.publicJwk)].flatMap(
        (secret) => [Buffer.from(secret), Buffer.from(secret, 'base64url')],
      );
      const symmetric = await Promise.all(
        secrets.map((secret) =>
          new SignJWT(claims).setProtectedHeader({ ...header, alg: 'HS256' }).sign(secret),
        ),
      );
      for (const forged of [unsigned, none, ...symmetric])
        await expect(verifyReceipts({ receipts: [{ jws: forged, shown }] }, keys)).rejects.toMatchObject(
          refused(/is not (signed as a receipt is|a compact JWS)/),
        );
    });

    test('of another type by the same key, with a key of its own, or with something critical', async () => {
      const { jws } = first(file);
      const payload = Buffer.from(jws.split('.')[1] ?? '', 'base64url');
      const { kid, privateKey, publicJwk } = services.keys;
      const sign = (header: Record<string, unknown>) =>
        new CompactSign(payload).setProtectedHeader({ alg: 'EdDSA', kid, ...header }).sign(privateKey);
      for (const header of [{}, { typ: 'JWT' }, { typ: RECEIPT_TYPE, jwk: publicJwk }])
        await expect(verifyReceipts({ receipts: [{ jws: await sign(header) }] }, keys)).rejects.toMatchObject(
          refused(/is not signed as a receipt is/),
        );
    });

    test('signed with claims of another shape', async () => {
      const { kid, privateKey } = services.keys;
      const jws = await new CompactSign(Buffer.from('{"v":1,"action":"x"}'))
        .setProtectedHeader({ alg: 'EdDSA', kid, typ: RECEIPT_TYPE })
        .sign(privateKey);
      await expect(verifyReceipts({ receipts: [{ jws }] }, keys)).rejects.toMatchObject(
        refused(/is signed, but says something else/),
      );
    });

    test('of another installation, whatever it calls its key', async () => {
      const { publicKey } = await generateKeyPair('EdDSA', { extractable: true });
      const others = receiptKeys({ keys: [{ ...(await exportJWK(publicKey)), kid: 'other' }] });
      expect(others).toHaveLength(1);
      await expect(verifyReceipts(file, others)).rejects.toMatchObject(
        refused(/is not one of the keys given/),
      );
      const renamed = others.map((key) => ({ ...key, kid: services.keys.kid }));
      await expect(verifyReceipts(file, renamed)).rejects.toMatchObject(
        refused(/its signature does not match/),
      );
    });

    test('of another action, of two actions, or twice the same', async () => {
      const other = await fileOf((await givenBrokenGlass(services)).id);
      await expect(verifyReceipts(other, keys, actionId)).rejects.toMatchObject(refused(/is about action/));
      const mixed = { receipts: [...file.receipts, ...other.receipts] };
      await expect(verifyReceipts(mixed, keys)).rejects.toMatchObject(refused(/receipt 2 is about action/));
      const twice = { receipts: [...file.receipts, ...file.receipts] };
      await expect(verifyReceipts(twice, keys)).rejects.toMatchObject(
        refused(/receipt 2 stands there twice/),
      );
    });

    test.each([
      [{ receipts: [] }],
      [{}],
      [null],
      [{ receipts: [{ jws: 1 }] }],
      [{ receipts: [{ jws: 'a.b.c' }] }],
    ])('when it is no file of receipts: %j', async (nothing) => {
      await expect(verifyReceipts(nothing, keys)).rejects.toThrow(
        /the file holds no receipts|receipt 1 is not/,
      );
    });
  });

  test('over HTTP to those who may see the arguments, and to nobody else', async () => {
    const app = await createApi(services);
    const get = async (as: { headers: { authorization: string } }) =>
      call(app, `GET /v1/actions/${actionId}/receipt`, { as });
    const served = await get(await givenToken(services, 'auditor'));
    expect(served).toMatchObject({ status: 200, json: file });
    expect(await get(await givenToken(services, 'agent', { agent: 'desk' }))).toMatchObject({ status: 200 });
    expect(await get(await givenToken(services, 'agent', { agent: 'other' }))).toMatchObject({ status: 404 });
    expect(await get(await givenToken(services, 'admin'))).toMatchObject({ status: 403 });
    const { json } = await call(app, 'GET /.well-known/jwks.json');
    expect(await verifyReceipts(served.json, receiptKeys(json), actionId)).toHaveLength(1);
    await app.close();
  });
});
