using CredBroker.Cedar.Text;

namespace CredBroker.Cedar.Formatting;

/// <summary>The tokens of a text that is known to be right, each with the comments that belong to it.</summary>
internal sealed class CommentedTokens
{
    private readonly string _source;
    private readonly List<Token> _tokens;
    private readonly Dictionary<int, List<Doc.Comment>> _before = [];
    private readonly Dictionary<int, List<Doc.Comment>> _after = [];

    public CommentedTokens(string source)
    {
        _source = source;
        var comments = new List<Token>();
        _tokens = Lexer.Tokenize(source, new DiagnosticBag(""), comments);
        Attach(comments);
    }

    public int Index { get; private set; }

    public Token Current => _tokens[Index];

    public Token Following => _tokens[Math.Min(Index + 1, _tokens.Count - 1)];

    public string Text => _source.Substring(Current.Start, Current.Length);

    public bool IsWord(string word) => Current.Kind == TokenKind.Identifier && _source.AsSpan(Current.Start, Current.Length).SequenceEqual(word);

    /// <summary>The token with its comments.</summary>
    public Doc Take()
    {
        var text = new Doc.Text(Text);
        var (before, after) = (_before.GetValueOrDefault(Index), _after.GetValueOrDefault(Index));
        Index++;
        return before is null && after is null ? text : Doc.Of([.. before ?? [], text, .. after ?? []]);
    }

    /// <summary>The comments before the token, which stays where it is.</summary>
    public Doc TakeCommentsBefore() => _before.Remove(Index, out var before) ? Doc.Of([.. before]) : Doc.Of();

    /// <summary>The comments of a token that is left out.</summary>
    public Doc TakeComments()
    {
        Doc.Comment[] all = [.. _before.GetValueOrDefault(Index) ?? [], .. _after.GetValueOrDefault(Index) ?? []];
        Index++;
        return Doc.Of([.. all]);
    }

    // A comment behind a token on its line belongs to that token, any other to the token that follows.
    private void Attach(List<Token> comments)
    {
        var token = 0;
        foreach (var comment in comments)
        {
            while (_tokens[token].Kind != TokenKind.End && _tokens[token].Start < comment.Start)
                token++;
            var isTrailing = token > 0 && !_source.AsSpan(_tokens[token - 1].End, comment.Start - _tokens[token - 1].End).Contains('\n');
            var text = _source.AsSpan(comment.Start, comment.Length).TrimEnd().ToString();
            var (owner, list) = isTrailing ? (token - 1, _after) : (token, _before);
            if (!list.TryGetValue(owner, out var attached))
                list.Add(owner, attached = []);
            attached.Add(new Doc.Comment(text, !isTrailing, !isTrailing && IsApart(comment.Start)));
        }
    }

    private bool IsApart(int start)
    {
        var gap = _source.AsSpan(0, start);
        return gap[gap.TrimEnd().Length..].Count('\n') > 1;
    }
}
