using System.Collections.Immutable;
using CredBroker.Cedar.Text;

namespace CredBroker.Cedar.Formatting;

/// <summary>Decides where lines may break. It works on tokens, not on the policies' meaning, so that nothing is lost; the text was parsed before.</summary>
internal sealed class PolicyLayout(CommentedTokens tokens)
{
    public Doc All()
    {
        var policies = ImmutableArray.CreateBuilder<Doc>();
        while (tokens.Current.Kind != TokenKind.End)
        {
            if (policies.Count > 0)
                policies.Add(Doc.Break);
            policies.Add(Policy());
        }
        policies.Add(tokens.TakeComments());
        return Doc.Of(policies.DrainToImmutable());
    }

    private Doc Policy()
    {
        var parts = ImmutableArray.CreateBuilder<Doc>();
        while (tokens.Current.Kind == TokenKind.At)
        {
            parts.Add(tokens.Take());
            parts.Add(tokens.Take());
            if (tokens.Current.Kind == TokenKind.OpenParen)
                parts.AddRange(tokens.Take(), tokens.Take(), tokens.Take());
            parts.Add(Doc.Break);
        }
        parts.AddRange(tokens.Take(), new Doc.Text(" "), Bracketed(Doc.NothingOrBreak));
        while (tokens.Current.Kind != TokenKind.Semicolon)
            parts.AddRange(Doc.Break, tokens.Take(), new Doc.Text(" "), Bracketed(Doc.SpaceOrBreak));
        parts.AddRange(tokens.Take(), Doc.Break);
        return Doc.Of(parts.DrainToImmutable());
    }

    /// <summary>Brackets of any kind with what they hold.</summary>
    private Doc Bracketed(Doc edge)
    {
        var open = tokens.Take();
        var items = ImmutableArray.CreateBuilder<Doc>();
        while (!IsClosing)
        {
            items.Add(Expression());
            if (tokens.Current.Kind != TokenKind.Comma)
                break;
            if (tokens.Following.Kind is TokenKind.CloseParen or TokenKind.CloseBrace or TokenKind.CloseBracket)
                items.Add(tokens.TakeComments());
            else
                items.AddRange(tokens.Take(), Doc.SpaceOrBreak);
        }
        // Comments at the end stand with what is inside.
        items.Add(tokens.TakeCommentsBefore());
        if (items.Count == 1 && items[0] is Doc.Sequence { Parts.IsEmpty: true })
            return Doc.Of(open, tokens.Take());
        return new Doc.Group(Doc.Of(open, new Doc.Nested(Doc.Of([edge, .. items])), edge, tokens.Take()));
    }

    private Doc Expression()
    {
        if (!tokens.IsWord("if"))
            return Chain(TokenKind.Or, () => Chain(TokenKind.And, Operand));
        return new Doc.Group(Doc.Of(
            tokens.Take(), new Doc.Text(" "), new Doc.Nested(Expression()), Doc.SpaceOrBreak,
            tokens.Take(), new Doc.Text(" "), new Doc.Nested(Expression()), Doc.SpaceOrBreak,
            tokens.Take(), new Doc.Text(" "), new Doc.Nested(Expression())));
    }

    private Doc Chain(TokenKind op, Func<Doc> part)
    {
        var first = part();
        if (tokens.Current.Kind != op)
            return first;
        var parts = ImmutableArray.CreateBuilder<Doc>();
        parts.Add(first);
        while (tokens.Current.Kind == op)
            parts.AddRange(new Doc.Text(" "), tokens.Take(), Doc.SpaceOrBreak, part());
        return new Doc.Group(Doc.Of(parts.DrainToImmutable()));
    }

    /// <summary>What stands between <c>&amp;&amp;</c>, <c>||</c>, commas and brackets: where it doesn't fit, lines break behind operators and in brackets.</summary>
    private Doc Operand()
    {
        var parts = ImmutableArray.CreateBuilder<Doc>();
        var (glued, firstBreak) = (true, -1);
        while (!EndsOperand)
        {
            var kind = tokens.Current.Kind;
            var isOperator = IsBinary(kind) || IsWordOperator;
            // An operator in front of an operand is a sign.
            var isSign = kind == TokenKind.Not || (kind == TokenKind.Minus && glued);
            if (kind is TokenKind.OpenParen or TokenKind.OpenBracket or TokenKind.OpenBrace)
            {
                parts.Add(Bracketed(Doc.NothingOrBreak));
            }
            else if (kind == TokenKind.Colon)
            {
                parts.AddRange(tokens.Take(), new Doc.Text(" "));
            }
            else if (isOperator && !isSign)
            {
                parts.AddRange(new Doc.Text(" "), tokens.Take());
                firstBreak = firstBreak < 0 ? parts.Count : firstBreak;
                parts.Add(Doc.SpaceOrBreak);
            }
            else
            {
                parts.Add(tokens.Take());
            }
            glued = isSign || isOperator || kind == TokenKind.Colon;
        }
        var all = parts.DrainToImmutable();
        return firstBreak < 0 ? Doc.Of(all) : new Doc.Group(Doc.Of([.. all[..firstBreak], new Doc.Nested(Doc.Of(all[firstBreak..]))]));
    }

    private bool IsClosing => tokens.Current.Kind is TokenKind.CloseParen or TokenKind.CloseBrace or TokenKind.CloseBracket;

    private bool EndsOperand => IsClosing || tokens.Current.Kind is TokenKind.Comma or TokenKind.And or TokenKind.Or or TokenKind.Semicolon or TokenKind.End
        || tokens.IsWord("then") || tokens.IsWord("else");

    private bool IsWordOperator => tokens.IsWord("in") || tokens.IsWord("has") || tokens.IsWord("like") || tokens.IsWord("is");

    private static bool IsBinary(TokenKind kind) => kind is TokenKind.Equal or TokenKind.NotEqual or TokenKind.Less or TokenKind.LessOrEqual
        or TokenKind.Greater or TokenKind.GreaterOrEqual or TokenKind.Plus or TokenKind.Minus or TokenKind.Star;
}
