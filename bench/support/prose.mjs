/**
 * Sentences for tenants that need a size and no meaning: varied enough that words are as rare and vectors as far
 * apart as in real notes, and the same in every run.
 */
const PEOPLE = words(
  'Amira Ben Carla Diego Elif Farid Grace Hiro Ines Jonas Kira Liam Mona Noah Olga Pavel Rosa Sami Tara Uri Vera Wanda Yusuf Zoe',
);
const VERBS = words(
  'booked cancelled reviewed postponed painted repaired described compared ordered returned praised questioned sketched measured rewrote translated photographed collected delivered planned tested recommended forgot found',
);
const ADJECTIVES = words(
  'blue noisy fragile vintage seasonal urgent quiet wooden spicy foreign handmade broken digital generous narrow heavy early secret portable official muddy floral cheap solar',
);
const THINGS = words(
  'kitchen invoice bicycle violin garden passport contract telescope curtain backpack recipe portrait lease microscope sofa itinerary vaccine printer dashboard mural warranty keyboard greenhouse kayak sweater budget podcast lantern aquarium blueprint scooter orchard piano curriculum antenna quilt ledger espresso canoe statue',
);
const PLACES = words(
  'Lisbon Cairo Oslo Nairobi Kyoto Lima Dublin Amman Prague Hanoi Quito Tunis Vienna Austin Perth Riga Seoul Tangier Uppsala Valencia Warsaw Zurich Beirut Cusco',
);
const TIMES = [
  'before breakfast',
  'last spring',
  'on Friday',
  'after the storm',
  'during lunch',
  'two weeks ago',
  'at the fair',
  'every Monday',
  'in the evening',
  'over the holidays',
  'next month',
  'since the move',
];
const REASONS = [
  'because the landlord asked',
  'to surprise a neighbour',
  'so the children could help',
  'although it cost too much',
  'while waiting for the train',
  'for the charity auction',
  'after reading the manual twice',
  'without telling the manager',
  'since the old one leaked',
  'in case the flight is late',
  'and wants to do it again',
  'but the colour was wrong',
];

function words(text) {
  return text.split(' ');
}

/** One sentence of some eighteen words. */
export function sentence(random) {
  const pick = (list) => list[Math.floor(random() * list.length)];
  const [person, other] = [pick(PEOPLE), pick(PEOPLE)];
  const code = Math.floor(random() * 9_000) + 1_000;
  return `${person}: ${other} ${pick(VERBS)} the ${pick(ADJECTIVES)} ${pick(THINGS)} and a ${pick(THINGS)} in ${pick(PLACES)} ${pick(TIMES)} ${pick(REASONS)}, order ${code}.`;
}

/** A question about such sentences. */
export function question(random) {
  const pick = (list) => list[Math.floor(random() * list.length)];
  return `What did ${pick(PEOPLE)} say about the ${pick(ADJECTIVES)} ${pick(THINGS)} that was ${pick(VERBS)} in ${pick(PLACES)} ${pick(TIMES)}?`;
}
