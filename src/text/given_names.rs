//! Common German and English given names: tells `Müller Thomas` from `Thomas Müller`. A hint for splitting whole names, never evidence of identity.

use std::sync::LazyLock;

use rustc_hash::FxHashSet;

use super::fold;

/// Whether a word is a common given name, in any spelling of umlauts; a hyphenated one if its first part is.
#[must_use]
pub fn is_known(word: &str) -> bool {
    if word.len() > 64 {
        return false;
    }
    let words = fold::words(word);
    words.split(' ').next().is_some_and(|first| KNOWN.contains(first))
}

static KNOWN: LazyLock<FxHashSet<&'static str>> = LazyLock::new(|| NAMES.split_ascii_whitespace().collect());

/// Folded. Names that are common family names as well (`Peters`, `Werner`, `Martin`, `Thomas` in English) stand here only where the given name is far more common.
const NAMES: &str = "
aaron abigail achim adam adrian agnes albert alex alexander alexandra alexandre alfred alice alina amanda amelia amy ana anastasia andrea andreas
andrew andy angela angelika angelina anita anja anke anna annabelle anne annegret annelie anneliese annemarie annett annette annika anton antonia
antonio antje ariane armin arne arno arthur astrid aurelia axel ayse barbara bastian beate beatrice ben benedikt benjamin berit bernadette bernd
bernhard bert berta bertha betty bianca birgit birgitta birte bjoern boris brian brigitte britta bruno burkhard carina carl carla carlos carmen
carola carolin carolina caroline carsten catherine cathrin celina charles charlotte chloe chris christa christel christian christiane christin
christina christine christof christoph christopher cindy claire clara claudia clemens conny constantin constanze cora cornelia corinna cornelius
dagmar dana daniel daniela danny dave david dennis detlef diana dieter dietmar dietrich dirk dominic dominik dominique donald dora doreen doris
dorothea dorothee ebru eckhard edeltraud edith eduard edward egon eileen elena elfriede elias elisa elisabeth elizabeth elke ella ellen elli elsa
else emil emilia emily emine emma emmanuel enrico eric erich erik erika erna ernst erwin esther ethan eugen eva evelyn evi fabian fabio fatima
fatma felix ferdinand fiona florian frank franz franziska fred frederik frida frieda friederike friedhelm friedrich fritz gabi gabriel gabriela
gabriele gareth gary george georg gerald gerd gerda gerhard gerlinde gerold gerrit gerta gertrud gesa gina gisela grace greta gudrun guenter guenther
guido gustav hanna hannah hannelore hannes hans hansi harald harry hartmut hatice hedwig heide heidemarie heidi heike heiko heiner heinrich heinz
helen helena helene helga helge helmut helmuth hendrik henning henri henrik henry herbert heribert hermann herta hilde hildegard hiltrud holger
horst hubert hugo ian ida ilka ilona ilse ines inga inge ingeborg ingo ingrid irene iris irma irmgard irmtraud isabel isabell isabella isabelle
isolde ivan ivonne jack jacob jacqueline jakob james jamie jan jana jane janet janin janina janine jannik jannis jasmin jason jean jeanette jeff
jennifer jenny jens jeremy jessica jessika jill jim joachim joan joanna jochen joe joel joerg johann johanna johannes john jolanda jonas jonathan
jonah josef joseph josephine joshua juergen judith julia julian juliane julie juliette julius jutta kai karen karim karin karina karl karla karlheinz karola
karolin karolina karoline karsten katarina kate katharina katherine kathleen kathrin kathy katja katrin kelly kenneth kerstin kevin kim kirsten klara
klaus knut konrad konstantin konstanze kristian kristin kristina kurt lara larissa lars laura lauren lea leah lena leni lennart leo leon leonard
leonie liam lieselotte lili lilli lilly lina linda linus lisa liselotte lothar lotte louis louisa louise luca lucas lucia lucy ludger ludwig luis
luisa luise lukas lutz lydia madeleine magdalena maik maike maja malte mandy manfred manuel manuela marc marcel marco marcus margarete margarethe
margaret margit margot margret margrit maria marianne marie marina mario marion marit marius mark marko markus marlene marlies marlis marta martha
martin martina mary mathias mathilde matteo matthew matthias maureen max maxi maximilian mehmet meike melanie melina melissa meta mia michael michaela
michel michelle mike mila milena mira miriam mirko mohamed mohammed moritz murat mustafa nadine nadja nancy natalia natalie natascha nathalie nathan
neele nele nicholas nick nico nicola nicolas nicole niels nikita niklas niko nikolai nikolaus nils nina noah nora norbert olaf ole oleg olga oliver
olivia oskar oscar ottmar otto pamela pascal patricia patrick patrizia paul paula pauline peggy peter petra phil philip philipp philippa phillip pia
pierre rachel rahel raimund rainer ralf ralph ramona raphael rebecca rebekka regina regine reiner reinhard reinhold renata renate rene ria ricarda
richard rick rita rob robert robin roger roland rolf roman ronald ronny rosa rose rosemarie rosi rosina roswitha rudi rudolf ruediger rupert ruth ryan
sabine sabrina sally sam samantha samira samuel sandra sandy sara sarah sascha saskia sean sebastian selina sergej severin sibylle siegfried sieglinde
siegmund sigrid silas silke silvana silvia simon simona simone sina sofia sofie sonja sonya sophia sophie stefan stefanie steffen steffi stella stephan
stephanie stephen steve steven sue susan susann susanna susanne sven svenja svetlana sybille sylvia sylvie tabea tamara tanja tatjana ted teresa
tessa thea theo theodor theresa therese theresia thomas thorben thorsten tiffany till tilman tim timo timothy tina tino tobias tom tony torben
torsten tristan trude ulf uli ulla ulrich ulrike ursula ute uwe valentin valentina valerie vanessa vera verena veronika victor victoria viktor
viktoria vincent viola volker volkmar wally waltraud waltraut walburga wendy wenke wera werner wibke wiebke wilfried wilhelm wilhelmine will
william willi willy winfried wolf wolfgang wolfram xaver yannick yasmin yusuf yvonne zoe
";
