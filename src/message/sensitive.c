/* The built-in list of sensitive words and its matching; see sensitive.h. */
#include "message/sensitive.h"

#include <string.h>
#include <strings.h>

static const char *const words[] = {
    /* health */
    "medic", "pharma", "prescription", "analgesic", "antacid", "laxative", "cold and flu",
    "sinus", "allergy", "first aid", "home health", "dietary", "diet aid",
    "restricted diet", "fitness&diet", "incontinence", "eye and ear", "foot care", "acne",
    "hemorrhoid", "antifungal", "smoking cessation", "vitamin", "hearing", "glucose",
    "diabet", "lice",
    /* alcohol and tobacco */
    "alcohol", "liquor", "spirits", "wine", "beer", "ales", "whisk", "vodka", "tobacco",
    "cigar", "smokeless", "vape",
    /* intimate */
    "feminine", "fem hyg", "tampon", "sanitary", "family planning", "condom",
    "contracept", "lubricant", "lingerie", "erotic", "adult toy", "hair remov",
    /* pregnancy and babies */
    "pregnan", "maternity", "diaper", "nappy", "nappies", "infant", "baby", "breast",
    /* origin and belief */
    "ethnic", "hispanic", "kosher", "halal",
    /* the same in Chinese */
    "药", "保健", "维生素", "感冒", "过敏", "酒", "烟", "避孕", "安全套", "卫生巾",
    "护垫", "内衣", "情趣", "成人用品", "孕", "婴", "尿布", "纸尿裤", "尿不湿", "奶粉"};

sensitive_list sensitive_default(void)
{
    return (sensitive_list){words, sizeof words / sizeof words[0]};
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool holds(const char *text, const char *word)
{
    size_t n = strlen(word);
    bool anywhere = (unsigned char)word[0] >= 0x80;
    for (const char *p = text; *p != '\0'; p++) {
        bool begins = p == text || !is_letter(p[-1]) || anywhere;
        if (begins && strncasecmp(p, word, n) == 0) return true;
    }
    return false;
}

bool sensitive_matches(const sensitive_list *list, const char *text)
{
    for (uint32_t i = 0; i < list->n; i++)
        if (holds(text, list->words[i])) return true;
    return false;
}
