import type { Language } from './languages.js';
import { folded } from './folding.js';

/** English words that say nothing about what a text is about; the heads of contractions (`don`, `isn`) among them. */
export const stopWords: ReadonlySet<string> = words(
  `a about above after again against ain all am an and any are aren as at be because been before being below
  between both but by can cannot could couldn did didn do does doesn doing don down during each few for from
  further had hadn has hasn have haven having he her here hers herself him himself his how i if in into is isn
  it its itself just ll me mightn more most mustn my myself needn no nor not now of off on once only or other
  our ours ourselves out over own re s same shan she should shouldn so some such t than that the their theirs
  them themselves then there these they this those through to too under until up us ve very was wasn we were
  weren what when where which while who whom whose why will with won would wouldn you your yours yourself
  yourselves im ive id youre dont didnt doesnt isnt wasnt cant wont couldnt wouldnt shouldnt thats whats`,
);

/** The same of other languages, without accents. A language's are left out of texts in that language, and of no others. */
export const STOP_WORDS: Readonly<Record<Language, ReadonlySet<string>>> = {
  de: words(`der die das den dem des ein eine einer eines einem einen kein keine keinen keiner und oder aber denn
    weil dass ob wenn als wie so ich du er sie es wir ihr mich dich ihn uns euch mir dir ihm ihnen sich mein meine
    meiner meinem meinen dein deine deiner deinem deinen sein seine seiner seinem seinen ihre ihrer ihrem ihren unser
    unsere unserer unserem unseren euer eure ist sind war waren bin bist seid wird werden wurde wurden hat habe haben
    hatte hatten kann können konnte muss müssen soll will wollen darf nicht nur auch noch schon sehr mehr immer in im
    an am auf aus bei beim mit nach seit von vom zu zum zur für durch gegen ohne um über unter vor hinter neben
    zwischen bis was wer wen wem wessen wo wann warum welche welcher welches welchen dieser diese dieses diesem diesen
    jeder jede jedes man hier dort da dann nun doch mal etwas alle alles`),
  fr: words(`le la les l un une des du de d au aux et ou mais donc car ni que qui quoi dont où quand comment pourquoi
    combien quel quelle quels quelles je j tu il elle on nous vous ils elles me m te t se s lui leur leurs y en mon ma
    mes ton ta tes son sa ses notre nos votre vos ce cet cette ces c cela ça ceci est sont était étaient être été suis
    es sommes êtes sera seront ai as a avons avez ont avait avaient avoir eu fait ne n pas plus moins très aussi
    toujours jamais dans sur sous avec sans pour par chez vers entre depuis pendant avant après contre si comme tout
    tous toute toutes même qu jusqu lorsqu puisque alors`),
  es: words(`el la los las lo un una unos unas y e o u pero sino porque que qué quien quién quienes cuál cuáles cuándo
    cuando dónde donde cómo como cuánto cuántos cuánta cuántas yo tú él ella ello nosotros vosotros ellos ellas usted
    ustedes me te se nos os le les mi mis tu tus su sus nuestro nuestra nuestros nuestras este esta estos estas ese esa
    esos esas eso esto aquel aquella es son era eran ser fue fueron está están estaba estaban estoy estar soy somos ha
    han he hay había haber tiene tienen no ni sí ya muy más menos también tampoco siempre nunca de del a al en con sin
    por para sobre entre hasta desde hacia durante contra si todo todos toda todas`),
  it: words(`il lo la i gli le l un uno una e ed o ma perché che chi cosa cui quale quali quando dove come quanto quanti
    quanta quante io tu lui lei noi voi loro mi ti si ci vi ne mio mia miei mie tuo tua tuoi tue suo sua suoi sue nostro
    nostra nostri nostre questo questa questi queste quello quella quelli quelle è sono era erano essere stato stata
    sei siamo siete ha hanno ho hai abbiamo aveva avevano avere non né più meno anche sempre mai molto di del dello
    della dei degli delle dell d a al allo alla ai agli alle all da dal dallo dalla dai dagli dalle dall in nel nello
    nella nei negli nelle nell con su sul sullo sulla sui sugli sulle sull per tra fra se tutto tutti tutta tutte`),
  pt: words(`o a os as um uma uns umas e ou mas porque que quem qual quais quando onde como quanto quantos quanta
    quantas eu tu ele ela nós vós eles elas você vocês me te se lhe lhes meu minha meus minhas teu tua teus tuas seu sua
    seus suas nosso nossa nossos nossas este esta estes estas esse essa esses essas isso isto aquele aquela aquilo é são
    era eram ser foi foram está estão estava estavam estou estar sou somos há tem têm tinha ter não nem sim já muito
    mais menos também sempre nunca de do da dos das ao à aos às em no na nos nas num numa com sem por pelo pela pelos
    pelas para sobre entre até desde se todo todos toda todas`),
  nl: words(`de het een en of maar want dat die dit deze er ik jij je hij zij ze wij we jullie mij me jou hem haar ons
    hen hun mijn jouw zijn uw onze is was waren ben bent wordt worden werd werden heeft heb hebben had hadden kan
    kunnen kon moet moeten zal zullen wil willen mag niet geen wel ook nog al zeer veel meer altijd nooit in op aan uit
    bij met naar van voor door over onder tegen zonder om te tot tussen sinds na als toen omdat wat wie waar wanneer
    waarom hoe welke welk hier daar dan nu zich iets alle alles`),
  sv: words(`en ett den det de dem denna detta dessa och eller men för att som när om jag du han hon vi ni man mig dig
    honom henne oss er min mitt mina din ditt dina sin sitt sina hans hennes vår vårt våra deras är var vara varit blir
    blev har hade ha kan kunde ska skulle vill måste inte ingen inget inga bara också mycket mer alltid aldrig i på av
    till från med utan hos under över vid mot mellan efter före sedan genom vad vem vilken vilket vilka var hur varför
    här där då nu så alla allt något någon`),
  da: words(`en et den det de dem denne dette disse og eller men for at som når om jeg du han hun vi i man mig dig ham
    hende os jer min mit mine din dit dine sin sit sine hans hendes vores jeres deres er var være været bliver blev har
    havde have kan kunne skal skulle vil ville må ikke ingen intet kun også meget mere altid aldrig på af til fra med
    uden hos under over ved mod mellem efter før siden gennem hvad hvem hvilken hvilket hvilke hvor hvornår hvordan
    hvorfor her der da nu så alle alt noget nogen`),
  no: words(`en ei et den det de dem denne dette disse og eller men for at som når om jeg du han hun vi dere man meg
    deg ham henne oss min mitt mine mi din ditt dine sin sitt sine hans hennes vår vårt våre deres er var være vært blir
    ble har hadde ha kan kunne skal skulle vil ville må ikke ingen ingenting bare også mye mer alltid aldri på av til
    fra med uten hos under over ved mot mellom etter før siden gjennom hva hvem hvilken hvilket hvilke hvor når hvordan
    hvorfor her der da nå så alle alt noe noen`),
  fi: words(`ja tai mutta että koska jos kun kuin niin minä sinä hän me te he se ne tämä nämä tuo nuo minun sinun hänen
    meidän teidän heidän sen niiden tämän minut sinut hänet minua sinua häntä minulla minulle sinulla sinulle hänellä
    hänelle meillä meille on ovat oli olivat ole olla olen olet olemme ollut ei en et emme eivät ollaan mikä mitä missä
    mistä mihin kuka ketä kenen kenellä milloin miksi miten millainen joka jonka joita jotka vain myös vielä jo hyvin
    aina nyt sitten siis kanssa ilman ennen jälkeen yli alla noin kaikki mukaan`),
  tr: words(`ve veya ya ile ama fakat çünkü için gibi kadar ben sen o biz siz onlar bana sana ona bize size onlara beni
    seni onu bizi sizi onları benim senin onun bizim sizin onların bu şu bunlar şunlar bir her bazı hiç tüm bütün çok daha
    en az mi mı mu mü ne nasıl neden niçin niye nerede nereye nereden kim kimin hangi kaç değil var yok de da ki ise
    idi olarak olan oldu olduğu olur oldukça göre sonra önce beri diye şey`),
  pl: words(`i w we z ze na do od po za o u dla przy przez pod nad przed bez między oraz ale lub albo czy że żeby bo więc
    gdy kiedy jak jako gdzie dlaczego skąd kto co ja ty on ona ono my wy oni mnie mi ciebie go jego jemu mu jej ją nią
    nas nam nami was wam ich im nimi się siebie sobie mój moja moje moich moim twój twoja twoje swój swoja swoje swoich
    nasz nasza nasze ten ta to te tego tej tym tych tymi tę tą tamten który która które którzy których którym jaki jaka
    jakie jest są był była było były być będzie będą jestem jesteś jesteśmy mam ma masz mamy mają miał miała może można
    nie tak też także tylko już jeszcze bardzo więcej zawsze nigdy tu tutaj tam teraz wtedy potem wszystko wszystkie
    wszyscy coś ktoś`),
  cs: words(`a i v ve z ze na do od po za o u pro při přes pod nad před bez mezi nebo ale že aby když jak jako kde proč
    odkud kdo co já ty on ona ono my vy oni mě mně mi mnou tebe ti ho jeho mu jej ji ní nás nám vás vám jich jim se si
    sebe můj moje má mého mým tvůj svůj své svou náš naše ten ta to toho té tom tomu těch který která které kteří jaký
    jaká jaké je jsou byl byla bylo byli být bude budou jsem jsi jsme mám máš máme mají měl měla může ne ano také taky
    jen jenom už ještě velmi více vždy nikdy tady tam teď pak potom všechno všichni něco někdo`),
  hu: words(`a az és vagy de hogy mert ha mint is nem ne sem igen én te ő mi ti ők engem téged őt minket nekem neked neki
    nekünk ez ezt ezek azt azok ennek annak ebben abban egy van vannak volt voltak lesz lenne lehet vagyok vagyunk ki
    kit kinek mit mikor hol hova honnan miért hogyan hány melyik milyen amely ami aki amit akit amikor ahol csak már még
    nagyon több mindig soha itt ott most akkor után előtt között alatt felett nélkül minden valami valaki saját`),
  ro: words(`și sau dar iar că să dacă când cum ca ce cine unde de la în din cu fără pe pentru prin spre sub peste între
    după până un o unui unei unor al ai ale lui ei lor eu tu el ea noi voi ele mă te îl îi le ne vă se își meu mea mei
    mele tău ta tăi său sa săi nostru noastră acest această acești aceste acel acea acei acele acesta aceasta este sunt
    era erau fost fi am avem au avea va vor nu da mai foarte tot toți toate doar numai aici acolo acum atunci câte câți
    ceva cineva`),
};

/** Left out wherever their script is written, since it tells the language. */
export const RUSSIAN_STOP_WORDS = words(
  `и в во не что он на я с со как а то все она так его но да ты к у же вы за бы по только ее мне было вот от меня еще
  нет о из ему теперь когда даже ну ли если уже или ни быть был него до вас нибудь опять уж вам ведь там потом себя
  ничего ей может они тут где есть надо ней для мы тебя их чем была сам чтоб без будто чего раз тоже себе под будет
  тогда кто этот того потому этого какой ним здесь этом мой тем чтобы нее были куда зачем всех при об хоть над эта
  моя мои твой твоя наш наша это эти эту нас вас им них`,
);
/** As they are once written without vowel signs, with one form of alef, yeh and teh. */
export const ARABIC_STOP_WORDS = words(
  `من الي عن علي في مع هذا هذه ذلك تلك هو هي هم هن انا انت نحن انتم كان كانت يكون تكون كل قد لقد لم لن لا ما ماذا
  متي اين كيف لماذا هل او ثم بل ان انه انها الذي التي الذين بعد قبل عند عندما حتي اذا كما ايضا بين غير و هنا هناك`,
);

/**
 * Function words that English texts have for other reasons: as words of their own ('die', 'war', 'met', 'dove') or in names
 * ('de', 'la', 'van'). They say less than others about the language of a text.
 */
export const AMBIGUOUS: ReadonlySet<string> = words(
  `die das war waren man hat hatte mal bin bis mit des dem den der dir du er es im sein seine hier also alles euch uns mein
  mir ihr nun wen von aus ob zu da ist so
  le la les un une de d et ou car on ton son sur sous pour par plus tout ma sa ta mes ses mon as es ai ce est pas dans
  elle vers avant comment notre sera eu ne il si contre
  los las el lo al del mi tu su sin con era fue san como para este esta ha se no ni nos os yo ella mis hay ya todo todos
  soy ser tan hasta
  i gli di dal dei della lei lui mia mio sue tua come dove cosa due uno una per fra tra sei hai me ti io chi che quale ho
  mai ed ci vi alla allo
  o um uma do dos das seu sua tem ter na nas em ele ela mas sao sim ate com num isso
  het een en of want dat ze ben bent met door over tot van hem haar hen nog wel om te op dan pal nu wil mag hoe ons
  var han hon vad hur till ut ska av sedan mina sina dina hans bara de dig min din en ham hun mine at for her under have
  kan mod mere dine bare fra med sitt af ei mot ble dere deg meg mye noe mer vil ville
  ja ole he tai jo etta jos kun oli mika mita vain aina nyt sen alla mutta tama
  men pendant
  ve bu biz siz ki az bir mu size ise ile kim ama bana sana ona idi sey
  na po od za ze we pod nad bez ale lub bo jak co ja ty go ten ta te ci nas nam ich mam masz jest tak tam jako moja moje
  oni jej pro ho ji je jim jen ani ano pak tom toho tady
  take tech mel vice proc vas cos wy ono jake ted nia maja vam pri mame
  azt ot nem sem ez hol mint volt mar meg ok kit mit ott neki ami aki ben
  ii sai tau vor acel intre cate sau dar iar cum ca ce cine din cu pe sub ai ale ei lor eu ea noi ele va mei ma au nu da
  este tot fi prin doar acum unde`,
);

function words(list: string): ReadonlySet<string> {
  return new Set(list.split(/\s+/).map((word) => (/\p{sc=Latin}/u.test(word) ? folded(word) : word)));
}
