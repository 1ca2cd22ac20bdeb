import type { ReceiptClaims } from '../../approvals/receipts/claims.ts';
import type { VerifiedReceipt } from '../../approvals/receipts/verify.ts';
import { formatDuration, formatTime } from './format.ts';
import { fields, paragraph, sections } from './render.ts';

/** Who decided what, when, how they were known, and what they saw: nothing but what was proved. */
export function verifiedText(receipts: readonly VerifiedReceipt[], width: number): string {
  const [first] = receipts;
  const count = receipts.length === 1 ? '1 receipt' : `${receipts.length} receipts`;
  return sections(
    paragraph(`VALID: ${count} about action ${first?.claims.action}.`, width),
    ...receipts.map((receipt) => receiptText(receipt, width)),
  );
}

function receiptText({ claims, kid, text }: VerifiedReceipt, width: number): string {
  const word = claims.verdict === 'approve' ? 'approved' : 'denied';
  const place = [
    claims.release && `release ${claims.release}`,
    claims.segment && `segment ${claims.segment}`,
    claims.phase && `phase ${claims.phase}`,
  ];
  return fields(
    [
      ['Decided', `${claims.person} ${word}${claims.breakGlass ? ' ALONE, breaking the glass' : ''}`],
      ['For', claims.for],
      ['The like', claims.standing && theLikeText(claims.standing)],
      ['At', formatTime(claims.at)],
      ['Known by', `${claims.identity}, by ${claims.via}`],
      ['Tool', `${claims.tool} of ${claims.agent}`],
      ['Where', place.filter((part) => part).join(', ')],
      ['State', `epoch ${claims.epoch}, revision ${claims.revision}, round ${claims.round}`],
      ['Arguments', claims.argsDigest],
      [
        'Card',
        claims.shown.cardVersion === null ? 'none: page, CLI or API' : `version ${claims.shown.cardVersion}`,
      ],
      ['Issuer', claims.iss],
      ['Key', kid],
      ['Shown', text ?? `text erased: only its digest is proved (${claims.shown.digest})`],
    ],
    width,
  );
}

const theLikeText = ({ maxUses, forMs }: NonNullable<ReceiptClaims['standing']>): string =>
  `approved along with it: at most ${maxUses} times within ${formatDuration(forMs)}`;
