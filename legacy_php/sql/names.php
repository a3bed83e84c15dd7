<?php
/**
 * Name lists for the seed: by country, given names and family names, each as "spelling:ascii", or
 * the spelling alone where it is ASCII; "_" is a space. People are made by combining the two; none of them exists.
 */
if (!defined('BILLING_APP')) {
    http_response_code(404);
    header('Content-Type: application/json; charset=utf-8');
    exit('{"status":"error","message":"Not found"}');
}

return array(
    'DE' => array(
        'Jürgen:juergen Anna Björn:bjoern Käthe:kaethe Lukas Sören:soeren Heike Jörg:joerg Greta Uwe',
        'Müller:mueller Schröder:schroeder Weiß:weiss Jäger:jaeger Vogel König:koenig Groß:gross Böhm:boehm Krause Lange',
    ),
    'FR' => array(
        'Zoé:zoe François:francois Hélène:helene Loïc:loic Jean-Noël:jean-noel Aurélie:aurelie Luc Inès:ines Benoît:benoit Maëlle:maelle',
        'Lefèvre:lefevre Gauthier Bérard:berard D\'Aubigné:daubigne Moreau Pâquet:paquet Fournier Rénal:renal Côté:cote Noël:noel',
    ),
    'ES' => array(
        'José:jose María:maria Íñigo:inigo Begoña:begona Andrés:andres Lucía:lucia Ramón:ramon Inés:ines Víctor:victor Pilar',
        'Muñoz:munoz Núñez:nunez García:garcia Peña:pena Álvarez:alvarez Ibáñez:ibanez Ortega Cortés:cortes Vega Yáñez:yanez',
    ),
    'PL' => array(
        'Łukasz:lukasz Małgorzata:malgorzata Paweł:pawel Żaneta:zaneta Stanisław:stanislaw Jagoda Grażyna:grazyna Błażej:blazej',
        'Wiśniewski:wisniewski Wójcik:wojcik Kowalczyk Zając:zajac Król:krol Dąbrowski:dabrowski Łęcki:lecki Sikora',
    ),
    'CZ' => array(
        'Jiří:jiri Žofie:zofie Ondřej:ondrej Kateřina:katerina Matěj:matej Růžena:ruzena Václav:vaclav Libuše:libuse',
        'Dvořák:dvorak Černý:cerny Růžička:ruzicka Němec:nemec Havlíček:havlicek Šimek:simek Král:kral Vyskočil:vyskocil',
    ),
    'SE' => array(
        'Åsa:asa Göran:goran Björn:bjorn Malin Östen:osten Märta:marta Linnéa:linnea Nils',
        'Ångström:angstrom Sjögren:sjogren Åkesson:akesson Lindqvist Öberg:oberg Hägg:hagg Nyström:nystrom Wallin',
    ),
    'DK' => array(
        'Søren:soren Bjørn:bjorn Åse:aase Mette Jørgen:jorgen Freja Ærling:aerling Kirsten',
        'Nørgaard:norgaard Kjær:kjaer Sørensen:sorensen Åberg:aaberg Holm Mølgaard:molgaard Ravn Bæk:baek',
    ),
    'IE' => array(
        'Siobhán:siobhan Seán:sean Aoife Pádraig:padraig Róisín:roisin Conor Niamh Oisín:oisin',
        'O\'Brien:obrien O\'Súilleabháin:osuilleabhain Byrne Ní_Dhuibhne:nidhuibhne Murphy Mac_Giolla:macgiolla Doyle O\'Neill:oneill',
    ),
    'TR' => array(
        'Çağla:cagla Gökhan:gokhan Şule:sule Işıl:isil Ömer:omer Ayşe:ayse Tuğba:tugba İbrahim:ibrahim',
        'Yıldız:yildiz Öztürk:ozturk Güneş:gunes Şahin:sahin Çelik:celik Aydın:aydin Doğan:dogan Kılıç:kilic',
    ),
    'GR' => array(
        'Γιώργος:giorgos Ελένη:eleni Νίκος:nikos Σοφία:sofia Δημήτρης:dimitris Κατερίνα:katerina',
        'Παπαδόπουλος:papadopoulos Οικονόμου:oikonomou Βασιλείου:vasileiou Αλεξίου:alexiou Νικολάου:nikolaou',
    ),
    'BG' => array(
        'Георги:georgi Мария:mariya Димитър:dimitar Йоана:yoana Стоян:stoyan Цветана:tsvetana',
        'Иванов:ivanov Петрова:petrova Стоянов:stoyanov Ангелова:angelova Желев:zhelev Щерев:shterev',
    ),
    'IL' => array(
        'נועה:noa יוסף:yosef תמר:tamar אורי:uri שירה:shira',
        'כהן:cohen לוי:levi מזרחי:mizrahi פרץ:peretz ביטון:biton',
    ),
    'EG' => array(
        'فاطمة:fatima أحمد:ahmed ليلى:layla يوسف:youssef مريم:mariam',
        'حسن:hassan إبراهيم:ibrahim السيد:elsayed منصور:mansour نصر:nasr',
    ),
    'JP' => array(
        '陽菜:hina 蓮:ren さくら:sakura 大翔:hiroto 結衣:yui 健太:kenta',
        '佐藤:sato 鈴木:suzuki 高橋:takahashi 渡辺:watanabe 小林:kobayashi 山口:yamaguchi',
    ),
    'KR' => array(
        '서연:seoyeon 민준:minjun 지우:jiwoo 하은:haeun 도윤:doyun',
        '김:kim 이:lee 박:park 최:choi 정:jung',
    ),
    'IN' => array(
        'आरव:aarav अनन्या:ananya रोहन:rohan प्रिया:priya विवान:vivaan',
        'शर्मा:sharma पटेल:patel सिंह:singh गुप्ता:gupta अय्यर:iyer',
    ),
    'VN' => array(
        'Nguyệt:nguyet Hữu:huu Thảo:thao Đức:duc Ngọc:ngoc Quỳnh:quynh',
        'Nguyễn:nguyen Trần:tran Phạm:pham Đặng:dang Võ:vo Hoàng:hoang',
    ),
    'US' => array(
        'Emily Marcus Olivia Jamal Grace Tyler Renée:renee Hannah Diego Amber',
        'Johnson Smith Nguyen O\'Connor:oconnor Rivera Washington Miller Van_der_Berg:vanderberg Peña:pena Clark',
    ),
    'GB' => array(
        'Oliver Charlotte Harriet Rhys Zoë:zoe Alfie Imogen Callum Chloë:chloe Nigel',
        'Smith-Jones:smith-jones Taylor Brontë:bronte Evans MacDonald Wright Fitzgerald Hughes Ashworth Clarke',
    ),
    'BR' => array(
        'João:joao Conceição:conceicao Antônio:antonio Letícia:leticia Caetano Vitória:vitoria Estêvão:estevao Márcia:marcia',
        'Gonçalves:goncalves Araújo:araujo Simões:simoes Guimarães:guimaraes Brandão:brandao Assunção:assuncao Costa Falcão:falcao',
    ),
);
