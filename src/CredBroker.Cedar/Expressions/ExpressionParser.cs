using System.Collections.Immutable;
using System.Globalization;
using CredBroker.Cedar.Text;

namespace CredBroker.Cedar.Expressions;

/// <summary>Reads expressions by recursive descent; one method per level of the grammar, loosest binding first.</summary>
internal abstract class ExpressionParser(string text, string file) : TokenReader(text, file)
{
    private const int MaxUnary = 4;

    protected Expr ParseExpression() => Nested(ParseUnguarded);

    /// <summary>Identifiers joined by <c>::</c>, up to a <c>::</c> that a string follows.</summary>
    protected string ParsePath(string expected)
    {
        var first = ParseName(expected);
        if (!Is(TokenKind.PathSeparator) || Following.Kind != TokenKind.Identifier)
            return first;
        var path = new List<string> { first };
        while (Is(TokenKind.PathSeparator) && Following.Kind == TokenKind.Identifier)
        {
            Advance();
            path.Add(ParseName("a name"));
        }
        return string.Join("::", path);
    }

    private string ParseName(string expected)
    {
        var token = Expect(TokenKind.Identifier, expected);
        var name = TextOf(token);
        return Names.IsReserved(name) ? throw Fail(token, $"expected {expected}; '{name}' is reserved") : name;
    }

    private Expr ParseUnguarded()
    {
        if (!IsWord("if"))
            return ParseOr();
        var start = Advance();
        var condition = ParseExpression();
        if (!AcceptWord("then"))
            throw Unexpected("'then'");
        var then = ParseExpression();
        if (!AcceptWord("else"))
            throw Unexpected("'else'");
        return Checked(new IfExpr(At(start), condition, then, ParseExpression()));
    }

    private Expr ParseOr()
    {
        var first = ParseAnd();
        if (!Is(TokenKind.Or))
            return first;
        var operands = ImmutableArray.CreateBuilder<Expr>();
        operands.Add(first);
        while (Accept(TokenKind.Or))
            operands.Add(ParseAnd());
        return Checked(new OrExpr(first.Location, operands.DrainToImmutable()));
    }

    private Expr ParseAnd()
    {
        var first = ParseRelation();
        if (!Is(TokenKind.And))
            return first;
        var operands = ImmutableArray.CreateBuilder<Expr>();
        operands.Add(first);
        while (Accept(TokenKind.And))
            operands.Add(ParseRelation());
        return Checked(new AndExpr(first.Location, operands.DrainToImmutable()));
    }

    private Expr ParseRelation()
    {
        var left = ParseSum();
        if (ParseComparison(left) is not { } result)
            return left;
        if (RelationOf(Current) is not null || IsWord("has") || IsWord("like") || IsWord("is"))
            throw Fail(Current, "comparisons cannot be chained; use brackets");
        return Checked(result);
    }

    private Expr? ParseComparison(Expr left)
    {
        if (AcceptWord("has"))
            return ParseHas(left);
        if (AcceptWord("like"))
            return ParseLike(left);
        if (AcceptWord("is"))
            return ParseIs(left);
        if (Is(TokenKind.Assign))
            throw Fail(Current, "'=' is no operator; equality is '=='");
        if (RelationOf(Current) is not { } op)
            return null;
        Advance();
        return new BinaryExpr(left.Location, op, left, ParseSum());
    }

    private BinaryOperator? RelationOf(Token token) => token.Kind switch
    {
        TokenKind.Equal => BinaryOperator.Equal,
        TokenKind.NotEqual => BinaryOperator.NotEqual,
        TokenKind.Less => BinaryOperator.Less,
        TokenKind.LessOrEqual => BinaryOperator.LessOrEqual,
        TokenKind.Greater => BinaryOperator.Greater,
        TokenKind.GreaterOrEqual => BinaryOperator.GreaterOrEqual,
        TokenKind.Identifier when IsWord(token, "in") => BinaryOperator.In,
        _ => null,
    };

    private HasExpr ParseHas(Expr target)
    {
        if (Is(TokenKind.String))
            return new HasExpr(target.Location, target, [Unquote(Advance())]);
        var path = ImmutableArray.CreateBuilder<string>();
        do
            path.Add(ParseName("an attribute's name"));
        while (Accept(TokenKind.Dot));
        return new HasExpr(target.Location, target, path.DrainToImmutable());
    }

    private LikeExpr ParseLike(Expr target)
    {
        var token = Expect(TokenKind.String, "a pattern as a string");
        var pieces = new List<string>();
        if (Quoting.Unescape(Inside(token), isPattern: true, pieces) is { } error)
            throw Fail(token, error);
        return new LikeExpr(target.Location, target, new Pattern([.. pieces]));
    }

    private IsExpr ParseIs(Expr target)
    {
        var at = At(Current);
        var type = ParsePath("an entity type");
        return new IsExpr(target.Location, target, type, at, AcceptWord("in") ? ParseSum() : null);
    }

    private Expr ParseSum()
    {
        var left = ParseProduct();
        while (Is(TokenKind.Plus) || Is(TokenKind.Minus))
        {
            var op = Advance().Kind == TokenKind.Plus ? BinaryOperator.Add : BinaryOperator.Subtract;
            left = Checked(new BinaryExpr(left.Location, op, left, ParseProduct()));
        }
        return left;
    }

    private Expr ParseProduct()
    {
        var left = ParseUnary();
        while (Is(TokenKind.Star))
        {
            Advance();
            left = Checked(new BinaryExpr(left.Location, BinaryOperator.Multiply, left, ParseUnary()));
        }
        return Is(TokenKind.Slash) || Is(TokenKind.Percent) ? throw Fail(Current, "Cedar has no division and no remainder") : left;
    }

    private Expr ParseUnary()
    {
        var op = Current.Kind;
        if (op is not (TokenKind.Not or TokenKind.Minus))
            return ParseMember();
        var start = Current;
        var operators = new List<Token>(MaxUnary);
        while (Is(op))
        {
            if (operators.Count == MaxUnary)
                throw Fail(Current, $"more than {MaxUnary} '{SpanOf(Current)}' in a row");
            operators.Add(Advance());
        }
        // The innermost minus belongs to the number: only so can the smallest Long be written.
        Expr result;
        if (op == TokenKind.Minus && Is(TokenKind.Number) && Following.Kind is not (TokenKind.Dot or TokenKind.OpenBracket or TokenKind.OpenParen))
        {
            var sign = operators[^1];
            operators.RemoveAt(operators.Count - 1);
            result = new LiteralExpr(At(sign), ParseNumber(Advance(), negative: true));
        }
        else
        {
            result = ParseMember();
        }
        for (var i = operators.Count - 1; i >= 0; i--)
            result = op == TokenKind.Not ? new NotExpr(At(operators[i]), result) : new NegateExpr(At(operators[i]), result);
        return Checked(result);
    }

    private CedarLong ParseNumber(Token token, bool negative)
    {
        var limit = (UInt128)long.MaxValue + (negative ? 1u : 0u);
        if (!UInt128.TryParse(SpanOf(token), NumberStyles.None, CultureInfo.InvariantCulture, out var magnitude) || magnitude > limit)
            throw Fail(token, "the number does not fit into 64 bits with a sign");
        return new CedarLong(negative ? (long)-(Int128)magnitude : (long)magnitude);
    }

    private Expr ParseMember()
    {
        var result = ParsePrimary();
        while (true)
        {
            if (Accept(TokenKind.Dot))
            {
                var token = Current;
                var name = ParseName("an attribute or method");
                result = Is(TokenKind.OpenParen) ? ParseMethod(result, token, name) : new GetAttributeExpr(result.Location, result, name);
            }
            else if (Accept(TokenKind.OpenBracket))
            {
                var name = Unquote(Expect(TokenKind.String, "an attribute's name as a string"));
                Expect(TokenKind.CloseBracket, "']'");
                result = new GetAttributeExpr(result.Location, result, name);
            }
            else
            {
                return result;
            }
            Checked(result);
        }
    }

    private Expr ParseMethod(Expr target, Token token, string name)
    {
        var arguments = ParseArguments();
        BinaryOperator? op = name switch
        {
            "contains" => BinaryOperator.Contains,
            "containsAll" => BinaryOperator.ContainsAll,
            "containsAny" => BinaryOperator.ContainsAny,
            "hasTag" => BinaryOperator.HasTag,
            "getTag" => BinaryOperator.GetTag,
            _ => null,
        };
        if (op is not null || name == "isEmpty")
        {
            var wanted = op is null ? 0 : 1;
            if (arguments.Length != wanted)
                throw Fail(token, $"{name} takes {wanted} argument(s) and is given {arguments.Length}");
            return op is { } binary ? new BinaryExpr(target.Location, binary, target, arguments[0]) : new IsEmptyExpr(target.Location, target);
        }
        return ExtensionFunction.Find(name) switch
        {
            null => throw Fail(token, $"there is no method '{name}'"),
            { IsConstructor: true } => throw Fail(token, $"'{name}' is a function, not a method: {name}(…)"),
            var function => new CallExpr(target.Location, function, [target, .. arguments]),
        };
    }

    private ImmutableArray<Expr> ParseArguments()
    {
        Expect(TokenKind.OpenParen, "'('");
        return ParseList(TokenKind.CloseParen, "')'");
    }

    private ImmutableArray<Expr> ParseList(TokenKind close, string closeText)
    {
        var items = ImmutableArray.CreateBuilder<Expr>();
        while (!Accept(close))
        {
            items.Add(ParseExpression());
            if (!Is(close))
                Expect(TokenKind.Comma, $"',' or {closeText}");
        }
        return items.DrainToImmutable();
    }

    private Expr ParsePrimary()
    {
        var token = Current;
        switch (token.Kind)
        {
            case TokenKind.Number:
                return new LiteralExpr(At(token), ParseNumber(Advance(), negative: false));
            case TokenKind.String:
                return new LiteralExpr(At(token), Unquote(Advance()));
            case TokenKind.OpenParen:
                Advance();
                var inner = ParseExpression();
                Expect(TokenKind.CloseParen, "')'");
                return inner;
            case TokenKind.OpenBracket:
                Advance();
                return Checked(new SetExpr(At(token), ParseList(TokenKind.CloseBracket, "']'")));
            case TokenKind.OpenBrace:
                return ParseRecord();
            case TokenKind.Slot:
                throw Fail(token, "slots may stand only in the scope");
            case TokenKind.Identifier:
                return ParseWord();
            default:
                throw Unexpected("an expression");
        }
    }

    private Expr ParseWord()
    {
        var token = Current;
        if (IsWord("true") || IsWord("false"))
            return new LiteralExpr(At(token), TextOf(Advance()) == "true");
        if (IsWord("if"))
            throw Fail(token, "'if' within an expression needs brackets");
        var name = ParsePath("an expression");
        if (Accept(TokenKind.PathSeparator))
            return new LiteralExpr(At(token), new EntityUid(name, Unquote(Expect(TokenKind.String, "a name or the entity's id as a string"))));
        if (Is(TokenKind.OpenParen))
            return ParseCall(token, name);
        return name switch
        {
            "principal" => new VariableExpr(At(token), Variable.Principal),
            "action" => new VariableExpr(At(token), Variable.Action),
            "resource" => new VariableExpr(At(token), Variable.Resource),
            "context" => new VariableExpr(At(token), Variable.Context),
            _ => throw Fail(token, $"there is no variable '{name}'; there are principal, action, resource and context"),
        };
    }

    private Expr ParseCall(Token token, string name) => ExtensionFunction.Find(name) switch
    {
        null => throw Fail(token, $"there is no function '{name}'"),
        { IsConstructor: false } => throw Fail(token, $"'{name}' is a method: x.{name}(…)"),
        var function => Checked(new CallExpr(At(token), function, ParseArguments())),
    };

    private Expr ParseRecord()
    {
        var start = Advance();
        var names = new HashSet<string>(StringComparer.Ordinal);
        var attributes = ImmutableArray.CreateBuilder<KeyValuePair<string, Expr>>();
        while (!Accept(TokenKind.CloseBrace))
        {
            var token = Current;
            var name = Is(TokenKind.String) ? Unquote(Advance()) : ParseName("an attribute's name");
            Expect(TokenKind.Colon, "':'");
            if (!names.Add(name))
                Diagnostics.Add(At(token), $"the attribute {Quoting.Quote(name)} is repeated");
            attributes.Add(new(name, ParseExpression()));
            if (!Is(TokenKind.CloseBrace))
                Expect(TokenKind.Comma, "',' or '}'");
        }
        return Checked(new RecordExpr(At(start), attributes.DrainToImmutable()));
    }

    private Expr Checked(Expr expr) =>
        expr.Depth <= TextLimits.MaxDepth ? expr : throw Fail(expr.Location, $"the expression is more than {TextLimits.MaxDepth} deep");
}
