//! Given names that are forms of one name: `Liz` and `Betty` are `Elizabeth`, `Uschi` is `Ursula`. Edit distance cannot know that.
//!
//! Facts of general knowledge, written down for this program: short and pet forms that dictionaries of German and English given names list,
//! spellings of one name, and its German and English form where both are used in either country. A name stands in one group only. A short
//! form of several names (`Chris`, `Alex`, `Sam`) brings them together; where it belongs mostly to one of them (`Ted`, `Bert`), it stands
//! there. So a group is a hint whose strength training finds, never proof.

use std::sync::LazyLock;

use rustc_hash::FxHashMap;

/// The group of a given name in matching form; `None` if the list does not have it.
#[must_use]
pub fn group(name: &str) -> Option<u32> {
    GROUP_OF.get(name).copied()
}

static GROUP_OF: LazyLock<FxHashMap<&'static str, u32>> = LazyLock::new(|| {
    let lines = GROUPS.lines().filter(|line| !line.is_empty());
    (0..)
        .zip(lines)
        .flat_map(|(group, line)| line.split(' ').map(move |name| (name, group)))
        .collect()
});

/// One group a line, folded.
const GROUPS: &str = "
abigail abby abbie abi gail
abraham abe bram
adelaide adelheid heidi adele addie
adolf adolph dolf dolfi
agathe agatha aggie agi
agnes nessie neske
albert al bert bertie albrecht adalbert
alexander alexandra alex alexandre alec alick sandy sascha xander alessandro aleksander sandra sandro
alfred alf alfie fredo
alice alicia ali
alison allison allie
amalie amalia amelia amelie millie milly emilia emilie
amanda mandy
andreas andrew andi andy andre anders drew
angela angelika angelica angelina angie geli angelique
anna anne ann annie anni nan nancy nanny annchen
anneliese annelie anneli
annemarie annemie annmarie
anton anthony antony antonio antonius tony tonio
antonia antonie toni antoinette
archibald archie archy
arnold arnie arno
arthur art artie artur
august augustus augustine augustin gustl augusta
balthasar balthazar
barbara babs barb barbie baerbel babsi babette barbel
bartholomew bartholomaeus bart barthel barry
beatrice beatrix bea beate trixie trixi
benedikt benedict bene
benjamin ben benny benni bennie
bernhard bernard bernd berni bernie barney berndt
bertha berta
bertram berthold bertold
brigitte brigitta gitte gitta biggi birgit birgitta bridget brigid bridie biddy britta brit
bruce brucie
caroline carolin carolina karoline karolina karolin carrie carol caro lina line carla karla
cecilia cecily cilly caecilie cissy celia sissy zaezilia
charles carl karl charlie chuck chas carlo carlos charley kalle karel
charlotte lotte lottie lotti lotta
christian christopher christoph christine christina christiane christa chris kit christel christl tina christy kris kristin kristina christin cristina stina kristian kristof christof christophe kristoffer tine stine
clara klara claire clare claerchen
claudia claudi claudette
clemens klemens clement clem
clifford cliff
conrad konrad kurt curt con conny konni radulf
constance constanze konstanze connie stanzi
cornelia nelly neele nele corrie
cornelius kees niels nils
cynthia cindy
cyril cy
daniel dan danny dani dannie danni daniela daniella danielle
david dave davy davey davie
deborah debora debbie deb debby debra
dennis denis denny denise
desmond des
dietmar ditmar
dietrich dieter dirk didi diederich
dominik dominic dom dominique
donald don donnie donny
dorothea dorothee dorothy dora doro dot dolly dottie thea doerte dorle dorothe doris
douglas doug dougie duggie
eberhard ebbe ebi eber
edgar edgard
edith edie edit
edward ed eddie edmund edwin ted ned teddy eduard ede neddy edmond eddy edi edouard
eleanor eleonore elinor nell nellie leonore lenore nora elenor ella ellen ellie helen helena helene lena leni hella ela hellen eleonora
elisabeth elizabeth elisabet liz lizzie lizzy liza eliza lisa lise lisbeth liesbeth bess bessie beth betty betsy betsey bettina elsbeth else elsa elise elspeth elli elly libby lilibet lisl liesl sissi sisi ilse isabel isabella isabelle bella belle bell isobel izzy ilsa elisa lilly lillie lily lilian lillian lili lilli
emanuel emmanuel manuel manny manolo
emma emmy emmi emily em emmeline emmie
erich erik eric rick
erika erica rike ricky
ernst ernest ernie erni ernestine
esther ester hester hetty essie
eugen eugene gene eugenie
eva eve evi evie evchen ev evelyn evelin evelyne eveline
ferdinand ferdi ferdie nando fernando
florence flo florrie flora flossie florry
florian flori
frances francis frank franz francois francesco francesca fran frannie franny fanny franziska franzi fanni frankie franklin franzl cissie frans
frederick frederic fred freddie freddy friedrich fritz frederik frederike friederike frieda frida fredrick fredric fredi friedel frederica fiete rieke ricke friedl fredy
gabriel gabriele gabriela gabi gaby gabby gabe gabriella gabrielle
genevieve gen viv genoveva vevi
geoffrey geoff jeffrey jeff geoffry jeffery
george georg georgie georgina georgia georgiana schorsch joerg juergen jurgen jorge gina jorg georges geordie doddy joergen
gerald gerard gerhard gerd gert gerrit gerry jerry gerold gerardo gerhart gard
gertrud gertrude trude trudi trudy gertie gerty traudl gertraud traudi gerta gerda
gilbert gil gib
gisela gisa gila giselle
gottfried goetz
gregor gregory greg gregg grigor gregorio
guenter guenther gunter gunther guenni gunnar
gustav gus gustaf gustave
hannah hanna hannchen
harold hal harald
hedwig hedi hede hedy
helga helge olga
henning henne
henriette harriet harriette jette etta henrietta hettie
henry harry heinrich heinz heiner henrik hendrik hank heini hinnerk henri heino hein
herbert herb herbie
hermann herman hermine mina minna
hieronymus jerome
hildegard hilde hilda hildegund brunhilde
horatio horace
howard howie
hubert hubertus
hugo hugh hughie huw
ignatius ignaz naz nazi iggy
ingeborg inge inga
irmgard irmi irma irmel
isaac isaak ike zac izaak
isidor isidore dore
jacob jakob jake jakub jacques jaap coby kobi
james jim jimmy jamie jem jimmie jas jemmy
jane janet janey janie janice jeanette jeannette
jennifer jen jenni jennie jenifer
jessica jess jessie jessika jesse
joachim achim jochen jochem jocki joakim
joan joanna joanne jean jeanne johanna johanne hanne hannelore jo giovanna
johannes johann john hans hannes hansi jan jannis hansel jens hanns johnny johnnie jack jonny ian sean shaun giovanni juan iain evan jock
jonathan jonathon jonas jonah jon
josef joseph joe joey sepp jupp jos seppi beppo pepi giuseppe jose josephine josefine josie josefa fini pepita finchen
joshua josh
judith judy judie jutta
julia julie jule juliane julchen juliette juliet liane jill gillian
julius jules
justin justus
kai kay
karen karin carina karina
karsten carsten kersten
katharina katherine catherine kate katie kathy kathryn katharine cathy kat katrin kathrin katja kathi kati kaethe kathleen kitty catharine catharina cathrin catrin kathe katarina caitlin katya katy trina catalina cathleen kath katey
kenneth ken kenny kennie
kevin kev
kimberley kimberly kim
klaus claus nicholas nick nicolas nikolaus nicolaus nico niko nicol klas nikolai colin klausi nikolas nicolai niclas niklas
konstantin constantin constantine costa
kunigunde gundi gunde kuni
lambert lamprecht
laura lauren laureen lora
lawrence laurence larry lorenz laurenz laurie laurens lars lenz lorenzo lori
leonard leonhard leo lenny len lennie leon lennard leonhardt lennart
leonie leona
leslie les lesley
lieselotte liselotte lilo liesel
linda lynn belinda melinda lyn lindy
louis lewis lou ludwig louisa louise luise lutz luis ludo louie lulu wiggerl luisa luiz
lucy lucie lucia luzie lucille luzia
lukas lucas luke luca luc
lydia liddy
magdalena magdalene magda madeleine madlen maddie madeline marlene malene
manfred manni mani
marcus markus mark marc marco marko marcel marcellus marcelo
margaret margarete margarethe maggie meg peggy marge margie daisy madge mag greta grete gretel gretchen margot margit marguerite rita margareta margret margery marjorie maisie peg meggie magret marga margarita
maria marie mary mia mariechen molly polly mae may mitzi mimi moll mamie minnie maidie ria
martha marta mattie
martin marten merten marty martina maarten
mathilde matilda tilda tilly tilde mathilda maud thilde
matthias mathias matthaeus matthew matt hias matze mats matti matteo matheus matty mattes thies mathew matthieu hiesl mathis
maurice moritz morris maury mauritz mo
maximilian max maxi maxl maxim maxime
melanie mel melli melly melany
melissa lissa missy
michael mike mick mickey micha michi michel mickie mikey mischa michal miguel micky michelle michaela
mohammed mohamed muhammad mehmet muhammed mohammad
monika monica moni mona monique
natalie nathalie natalia natascha natasha tasha
nathaniel nat nathan nate nathanael natty
nicole nikki niki nicola nicolette nic
norbert nobby norb
norman norm
oliver olli ollie olly oli noll
olivia liv livia
oscar oskar ossi ozzie
oswald oswin
otto otho
pamela pam pammy
patrick patricia pat paddy patsy tricia trish patty patti patrizia paddie
paul paule paulie paulus pablo paula pauline paulina pauli
penelope penny
peter pete piet petra pedro pierre petrus petey pitt pit
philip philipp phillip phil pip filip philippe philippa pippa flip
priscilla cilla prissy
rachel rae rahel rachael
rainer reiner
ralf ralph rolf ralphie
raymond ray raimund reimund ramon
rebecca rebekka becky becca reba rebekah
regina regine reggie ina
reginald reg rex reynold
reinhard reinhardt
renate rena renata
richard dick rich richie dickie dicky ricardo ritchie ricarda hick
robert rob bob bobby robbie robin robby roberto roberta rab robyn
roderick rod roddy rory
roger rog rodger ruediger rudiger hodge
roland rolland orlando
ronald ron ronnie ronny
rosemary rosemarie rose rosie rosa rosi roswitha rosina romy rosalie roesli rosalind
rudolf rudolph rudi rudy
russell russ
ruth ruthie
sabine bine sabina
samuel sam sammy samantha sammie sami
sarah sara sally sadie sal sallie
sebastian basti seb bastian bastien wastl
sibylle sybille sibyl sybil billa
sidney sydney sid syd
siegfried siggi sigi sigfried
sigrid siri
silvia sylvia sylvie silvie silke sylvi
simon simeon sim simone simona
solomon sol salomon salo
sophia sophie sofie sofia fee sophy fia fieke
stanley stan
stephan stefan stephen steven steve steffen steph stefanie stephanie steffi stevie stephane stephie stefani stefano steffie
susanne susan susanna suzanne sue susie susi suzy suse sanne susannah sukey susann sanna sannchen
sven swen svenja
sylvester silvester vester
tatjana tatiana tanja tanya
terence terry terrence
theodor theodore theo theodora teo
theresa teresa therese tess tessa resi tessie tracy theresia resl terri
thomas tom tommy thom tomas tommi tommie tomasz
thorben torben
thorsten torsten
timothy tim timmy timo timotheus timm tymothy
tobias tobi toby tobe
ulrich uli ulli ulrike ueli
ursula uschi ursel urschel ursl ursina
ute uta oda
valentin valentine val valentina vally valerie valeria
vera verena veronika veronica vreni vroni
victor viktor vic victoria viktoria vicky vicki vikki tori vickie
vincent vince vinnie vinzenz vin vinzent
virginia ginny ginger virginie
vivian vivien vivienne
waldemar waldi wolodymyr
walter walther wally walt wat wallie
waltraud traudel waltraut
werner wernher
wilfried wilfred wilf
wilhelm william bill billy will willy willi willie liam wim wilhelmine wilhelmina wilma willem guillaume billie
winfried winfred
winifred winnie freda win
wolfgang wolf wolfi wolfram woelfi wolfhard
yvonne yvette evonne
zachary zach zack zachariah zak
";
