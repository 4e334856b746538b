"""The words that pictures are made from: places, hours, subjects, colours, manners, counts, ages. Only tables."""

from __future__ import annotations

from collections.abc import Mapping

from rhflow.media.image import Colour
from rhflow.simulator.art.colour import rgb

PLACES: Mapping[str, str] = {
    "sea": "sea ocean beach coast coastline shore shoreline seaside harbour harbor bay wave surf island water "
    "lighthouse boat ship sailboat yacht sailing fisherman fishermen sailor pier jetty dock tide whale 海 海边 灯塔 船",
    "mountains": "mountain mountains alps peak summit cliff glacier valley lake fjord himalaya volcano 山 雪山 湖",
    "hills": "hill hills meadow countryside farm village garden park spring vineyard farmhouse cottage house tree "
    "balloon 草地 田野 村",
    "field": "field flowers lavender wheat poppies tulips sunflower sunflowers wildflowers 花田",
    "forest": "forest woods woodland jungle pine pines redwood fog deer fox 森林 树林",
    "desert": "desert dune dunes sahara mesa mesas canyon cactus camel sand mars 沙漠",
    "city": "city skyline downtown urban skyscraper skyscrapers tokyo york cyberpunk metropolis rooftop "
    "apartment buildings 城市 东京",
    "street": "street streets alley avenue sidewalk pavement shop shopfront storefront bakery market traffic taxi bus "
    "tram bicycle paris 街 街道 巷",
    "space": "space galaxy planet planets nebula cosmos cosmic orbit astronaut stars universe "
    "spaceship rocket 太空 星系 宇宙",
    "road": "road highway car cars automobile driving race racing truck roadster 公路 汽车",
    "table": "table desk kitchen cafe coffee tea teapot cup mug breakfast dinner lunch restaurant bread food meal dish "
    "sushi ramen noodles soup salad pasta pizza burger hamburger cake dessert pie fruit apple apples orange oranges "
    "lemon lemons plate bowl cat cats kitten dog dogs puppy vase book books candle 茶 咖啡 猫 狗 桌 寿司 拉面 蛋糕",
    "room": "room interior sofa couch armchair chair bedroom bed living library lamp fireplace office window 房间 沙发",
    "marble": "marble worktop countertop 大理石",
    "studio": "studio product packshot bottle perfume cosmetic cream sneaker shoe watch phone smartphone headphones "
    "portrait headshot model face fashion robot packaging box plinth pedestal "
    "advertisement isolated bouquet 产品 瓶 肖像 香水",
}
HOURS: Mapping[str, str] = {
    "neon": "neon cyberpunk synthwave vaporwave blade futuristic retrowave 霓虹 赛博",
    "noir": "noir monochrome grayscale greyscale 黑白",
    "night": "night midnight moonlight moonlit moon moody dark stars starry 夜 月",
    "sunset": "sunset dusk golden evening twilight sundown 日落 黄昏 夕阳",
    "dawn": "dawn sunrise morning mist misty foggy fog haze 清晨 日出 雾",
    "winter": "winter snow snowy ice icy frozen arctic christmas 冬 雪",
    "autumn": "autumn fall october harvest 秋",
    "overcast": "storm stormy rain rainy overcast cloudy grey gray gloomy thunder 雨 阴",
    "pastel": "pastel dreamy kawaii whimsical 粉彩",
    "day": "day noon daylight sunny summer bright clear",
}
SUBJECTS: Mapping[str, str] = {
    "lighthouse": "lighthouse beacon 灯塔",
    "boat": "boat sailboat ship yacht sailing 船",
    "bottle": "bottle perfume cosmetic cosmetics serum lotion whisky wine 瓶 香水",
    "teapot": "teapot kettle 茶壶",
    "cup": "cup mug coffee tea latte espresso cappuccino 茶 咖啡",
    "cat": "cat kitten 猫",
    "dog": "dog puppy 狗",
    "balloon": "balloon balloons 热气球",
    "car": "car automobile roadster racing driving taxi 汽车",
    "house": "house cottage cabin farmhouse barn hut home 房子",
    "flower": "flower flowers tulip tulips rose roses bouquet poppies sunflower sunflowers vase 花",
    "rocket": "rocket spaceship starship 火箭",
    "robot": "robot android mecha 机器人",
    "phone": "phone smartphone iphone 手机",
    "box": "box packaging package gift parcel 盒",
    "shoe": "sneaker sneakers shoe shoes trainer 鞋",
    "woman": "woman women girl girls lady ladies queen actress bride mother grandmother grandma granny princess wife "
    "witch ballerina daughter sister geisha nurse waitress aunt dress 女孩 女人 奶奶 妈妈",
    "man": "man men boy boys king actor father beard grandfather grandpa grandad fisherman fishermen sailor prince "
    "husband monk wizard samurai cowboy gentleman guy son brother uncle knight viking 男孩 男人 老人 爷爷 渔夫",
    "portrait": "portrait headshot face person people model fashion astronaut coat jacket child children kid kids baby "
    "toddler chef baker detective dancer farmer musician doctor teacher captain traveller traveler worker student "
    "barista couple crowd family hero soldier painter 肖像 人 孩子",
    "tree": "tree oak willow 树",
    "sofa": "sofa couch 沙发",
    "chair": "chair armchair stool",
    "lamp": "lamp lantern",
    "book": "book books novel diary 书",
    "candle": "candle candles",
    "sushi": "sushi nigiri maki sashimi 寿司",
    "bowl": "bowl ramen noodles noodle soup salad pho porridge rice 拉面 面条",
    "pizza": "pizza pie tart quiche 披萨",
    "burger": "burger hamburger cheeseburger sandwich 汉堡",
    "cake": "cake cupcake dessert birthday cheesecake 蛋糕",
    "fruit": "fruit fruits apple apples orange oranges lemon lemons peach pear tomato 苹果 水果",
    "bread": "bread loaf baguette croissant croissants 面包",
    "plate": "plate food meal dish dinner lunch breakfast pasta steak pancakes",
    "bicycle": "bicycle bike cycle 自行车",
    "bird": "bird birds gull gulls seagull seagulls eagle 鸟",
}
COLOURS: Mapping[str, Colour] = {
    "red": rgb("d1382f"), "crimson": rgb("b3202e"), "orange": rgb("ea7b2c"), "amber": rgb("e8a023"),
    "yellow": rgb("f2c230"), "gold": rgb("d9a441"), "golden": rgb("d9a441"), "green": rgb("3f9a5a"),
    "emerald": rgb("1f8a63"), "mint": rgb("8fd0b2"), "teal": rgb("1e8c8c"), "turquoise": rgb("35b5ae"),
    "blue": rgb("2f6fb5"), "navy": rgb("22386b"), "purple": rgb("6f4aa3"), "violet": rgb("8560c0"),
    "lavender": rgb("a99ad6"), "pink": rgb("e58fa6"), "magenta": rgb("c53a8c"), "brown": rgb("7d5437"),
    "black": rgb("26262b"), "white": rgb("f2f0ea"), "ivory": rgb("efe6d2"), "silver": rgb("b8bec4"),
    "copper": rgb("b8693d"), "cream": rgb("f0e2c6"),
}  # fmt: skip
BLOOMS: Mapping[str, Colour] = {
    "lavender": rgb("7f63b8"), "poppies": rgb("d8392c"), "poppy": rgb("d8392c"), "sunflowers": rgb("f0b323"),
    "sunflower": rgb("f0b323"), "wheat": rgb("dcb35c"), "tulips": rgb("e0506e"), "daisies": rgb("f4f0e4"),
}  # fmt: skip

MANNERS: Mapping[str, str] = {
    "watercolour": "watercolor watercolour aquarelle gouache wash 水彩",
    "ink": "ink sumi calligraphy woodcut linocut engraving brushwork 水墨 国画",
    "pencil": "pencil sketch drawing drawn lineart charcoal graphite 素描 铅笔",
    "noir": "noir monochrome grayscale greyscale monochromatic 黑白",
    "cel": "anime manga cartoon comic cel ghibli illustration toon 动漫 卡通",
    "glow": "neon cyberpunk synthwave vaporwave 霓虹 赛博",
    "pixel": "pixel pixelart bit 像素",
    "oil": "oil painting painted painterly impressionist impressionism brush brushstrokes gogh monet canvas 油画",
    "photo": "photo photograph photography photorealistic photographic realistic cinematic documentary bokeh 照片 摄影",
}
"""The looks that a picture can have. The first that is named counts: an ink painting is ink."""
COUNTS: Mapping[str, int] = {
    "two": 2, "couple": 2, "pair": 2, "twin": 2, "both": 2, "three": 3, "trio": 3, "several": 4, "few": 3, "four": 4,
    "many": 6, "some": 3, "group": 5, "five": 5, "six": 6, "seven": 7, "eight": 8, "crowd": 7, "dozen": 8,
    "2": 2, "3": 3, "4": 4, "5": 5, "6": 6, "7": 7, "8": 8,
}  # fmt: skip
SIGNS: Mapping[str, int] = {"两": 2, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6}
AGES: Mapping[str, str] = {
    "old": "old elderly aged senior wrinkled grandfather grandmother grandpa grandma grandad granny wizard ancient "
    "老 爷爷 奶奶",
    "child": "child children kid kids boy boys girl girls baby toddler little small schoolboy schoolgirl 孩 女孩 男孩",
}
HATS: Mapping[str, str] = {
    "cap": "fisherman fishermen sailor captain beanie cap 渔夫",
    "toque": "chef baker cook",
    "fedora": "detective fedora hat gangster cowboy traveller traveler",
    "crown": "king queen prince princess crown",
    "helmet": "astronaut cosmonaut spacesuit",
}

PEOPLE = frozenset({"portrait", "woman", "man"})
POSING = frozenset({"cat", "dog", "robot", "flower", "car", "bird"})
SOMEBODY = frozenset(SUBJECTS["portrait"].split()) - {"portrait", "headshot", "face", "model", "fashion", "肖像"}
OUTDOORS = frozenset({"sea", "mountains", "hills", "field", "forest", "desert", "city", "street", "road"})
STUDIO_WORDS = frozenset({"studio", "product", "packshot", "plinth", "pedestal", "isolated", "advertisement"})
ROOMS = frozenset(
    {"room", "interior", "bedroom", "sofa", "couch", "armchair", "chair", "library", "fireplace", "living"}
)
TABLES = frozenset({"table", "desk", "kitchen", "cafe", "restaurant"})
STREETS = frozenset({"street", "streets", "alley", "sidewalk", "pavement", "storefront", "shopfront"})
MARBLE = frozenset({"marble", "worktop", "countertop"})
ROOM_WORDS = STUDIO_WORDS | ROOMS | TABLES | MARBLE
FRAMINGS: Mapping[str, float] = {
    "wide": 0.66, "long": 0.75, "afar": 0.66, "distant": 0.66, "aerial": 0.6, "establishing": 0.66,
    "close": 1.15, "closeup": 1.15, "macro": 1.15, "detail": 1.15,
}  # fmt: skip
"""How large the subjects are, by what is said of the shot."""
FOOD = frozenset({"sushi", "bowl", "pizza", "burger", "cake", "fruit", "bread", "plate"})
ON_TABLES = FOOD | {"cup", "teapot", "cat", "dog", "flower", "box", "book", "candle"}
FURNITURE = frozenset({"sofa", "chair", "lamp"})
